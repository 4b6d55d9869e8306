// Command dtm is the published dtm server (go.mod) without its admin pages and its drivers of registries,
// which are most of what there is to build.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/dtm-labs/dtm/dtmsvr/entry"
)

func main() {
	version := ""
	if server, _ := entry.Main(&version); server == nil {
		return
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGINT, syscall.SIGTERM)
	<-ended
}
