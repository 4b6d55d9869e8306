// Command app runs one distributed transaction: take 30 cents from user 1, give them to user 2. It
// finds the transaction manager in etcd and names the business by its address there.
package main

import (
	"flag"
	"fmt"
	"log"

	"github.com/dtm-labs/client/dtmgrpc"
	_ "github.com/dtm-labs/driver-kratos" // lets the client understand etcd:// and discovery://

	v1 "troth/examples/kratos/api/trans/v1"
)

func main() {
	log.SetFlags(0)
	manager := flag.String("dtm", "etcd://localhost:2379/dtmservice", "address of the transaction manager")
	trans := flag.String("trans", "discovery://127.0.0.1:2379/trans", "address of the trans service, as the manager sees it")
	mode := flag.String("mode", "msg", "kind of transaction: msg or saga")
	flag.Parse()

	gid := dtmgrpc.MustGenGid(*manager)
	fmt.Printf("gid: %s\n", gid)
	if err := transfer(*mode, *manager, *trans, gid); err != nil {
		log.Fatalf("result: %v", err)
	}
	fmt.Println("result: succeed")
}

// transfer returns once the manager has called both methods: WaitResult asks for that.
func transfer(mode, manager, trans, gid string) error {
	out, in := trans+"/api.trans.v1.Trans/TransOut", trans+"/api.trans.v1.Trans/TransIn"
	from, to := &v1.AdjustInfo{Amount: 30, UserID: 1}, &v1.AdjustInfo{Amount: 30, UserID: 2}
	switch mode {
	case "msg": // Both steps are sure to happen, sooner or later.
		msg := dtmgrpc.NewMsgGrpc(manager, gid).Add(out, from).Add(in, to)
		msg.WaitResult = true
		return msg.Submit()
	case "saga": // Or none: what undoes each step is its second method.
		saga := dtmgrpc.NewSagaGrpc(manager, gid).Add(out, in, from).Add(in, out, to)
		saga.WaitResult = true
		return saga.Submit()
	default:
		return fmt.Errorf("-mode must be msg or saga, not %q", mode)
	}
}
