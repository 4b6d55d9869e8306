module troth/test/torture

go 1.19
