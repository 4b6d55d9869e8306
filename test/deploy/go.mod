module troth/test/deploy

go 1.19
