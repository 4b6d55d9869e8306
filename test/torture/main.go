// Torture torments a real troth: it is killed, stopped, starved and lied to by its disk and clock, while
// clients here submit transactions and participants here keep a ledger. Everything outside troth lives in
// this process, which therefore sees every acknowledgement and every call. After each torment troth is
// healed and everything must come to its end; then the auditor compares what was promised, what troth
// says and what the ledger holds.
package main

import (
	"flag"
	"fmt"
	"math/rand"
	"os"
	"time"
)

type options struct {
	program      string
	seed         int64
	kills        int
	transactions int
	writes       int
	firstWrite   int
	quick        bool
	only         string
}

func main() {
	var o options
	flag.StringVar(&o.program, "program", "", "the server to torment (troth_torture)")
	flag.Int64Var(&o.seed, "seed", 0, "decides workload and torments; 0: a random one")
	flag.IntVar(&o.kills, "kills", 200, "SIGKILLs at random moments")
	flag.IntVar(&o.transactions, "transactions", 100000, "acknowledged at least while it is killed")
	flag.IntVar(&o.writes, "writes", 0, "at how many points of the store's writes it dies; 0: at every one")
	flag.IntVar(&o.firstWrite, "first-write", 1, "the first of these points")
	flag.BoolVar(&o.quick, "quick", false, "shorter torments")
	flag.StringVar(&o.only, "only", "", "one torment by its name")
	minutes := flag.Int("minutes", 60, "give up after so long")
	flag.Parse()
	if o.seed == 0 {
		o.seed = 1 + time.Now().UnixNano()%1_000_000
	}
	time.AfterFunc(time.Duration(*minutes)*time.Minute, func() {
		fmt.Printf("not done within %d minutes; repeat: ./dev torture --seed %d\n", *minutes, o.seed)
		os.Exit(1)
	})
	os.Exit(torment(o))
}

func torment(o options) int {
	folder, err := os.MkdirTemp("", "troth-torture.")
	if err != nil {
		fmt.Println(err)
		return 2
	}
	failed := 0
	fmt.Printf("seed %d\n%s", o.seed, header)
	for i, t := range torments {
		if o.only != "" && o.only != t.name {
			continue
		}
		r := newRun(o, t.name, folder, rand.New(rand.NewSource(o.seed+int64(i))))
		r.perform(t)
		fmt.Print(r.row())
		for _, line := range r.violations {
			fmt.Println("  VIOLATION:", line)
		}
		if len(r.violations) > 0 {
			failed++
		}
	}
	if failed > 0 {
		fmt.Printf("repeat: ./dev torture --seed %d; stores and logs are left in %s\n", o.seed, folder)
	} else {
		_ = os.RemoveAll(folder)
	}
	return failed
}
