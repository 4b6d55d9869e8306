package harness

import (
	"database/sql"
	"fmt"

	"github.com/dtm-labs/client/dtmcli"
	"github.com/dtm-labs/client/workflow"
)

// Bank is a service that keeps accounts in MariaDB and protects its branches with the client's barrier
// and XA: what is asked of it twice, too late or in the wrong order moves money once or not at all. It
// has the same two methods over HTTP (<URL>/out, <URL>/in) and over gRPC (api.trans.v1.Trans), each for
// every operation of a branch. The script is asked first; what it refuses is not done.
type Bank struct {
	URL     string // base of the HTTP service
	Address string // host:port of the gRPC service
	MariaDB *MariaDB

	tb     TB
	script *Script
	http   stopper
	grpc   stopper
}

// Entry is what a branch does to an account, and the body of its HTTP request.
type Entry struct {
	Account int64 `json:"account"`
	Amount  int64 `json:"amount"` // in cents; taken by "out", given by "in"
}

// StartBank returns when the service listens.
func StartBank(tb TB, mariadb *MariaDB, script *Script) *Bank {
	tb.Helper()
	httpPort, grpcPort := FreePort(tb), FreePort(tb)
	b := &Bank{
		URL:     fmt.Sprintf("http://127.0.0.1:%d", httpPort),
		Address: fmt.Sprintf("127.0.0.1:%d", grpcPort),
		MariaDB: mariadb, tb: tb, script: script,
	}
	b.Start()
	tb.Cleanup(b.Stop)
	return b
}

// Start listens again after Stop, at the same addresses.
func (b *Bank) Start() {
	b.tb.Helper()
	b.http = serveBankHTTP(b)
	b.grpc = serveBankGRPC(b)
}

// Stop cuts all connections: nobody listens. Harmless when repeated.
func (b *Bank) Stop() {
	b.http.stop()
	b.grpc.stop()
}

// OpenAccount makes an account with a balance.
func (b *Bank) OpenAccount(tb TB, balance int64) int64 {
	tb.Helper()
	result, err := b.MariaDB.DB.Exec("insert into account (balance) values (?)", balance)
	if err != nil {
		tb.Fatalf("open an account: %v", err)
	}
	id, err := result.LastInsertId()
	if err != nil {
		tb.Fatalf("open an account: %v", err)
	}
	return id
}

// CloseAccount lets an account refuse whatever would change it.
func (b *Bank) CloseAccount(tb TB, account int64) {
	tb.Helper()
	if _, err := b.MariaDB.DB.Exec("update account set closed = true where id = ?", account); err != nil {
		tb.Fatalf("close account %d: %v", account, err)
	}
}

// Balances of accounts, in their order: "70 130". What is reserved and not yet confirmed or cancelled
// follows its balance: "100(-30 pending)".
func (b *Bank) Balances(tb TB, accounts ...int64) string {
	tb.Helper()
	text := ""
	for _, account := range accounts {
		var balance, pending int64
		row := b.MariaDB.DB.QueryRow("select balance, pending from account where id = ?", account)
		if err := row.Scan(&balance, &pending); err != nil {
			tb.Fatalf("balance of %d: %v", account, err)
		}
		text += fmt.Sprintf(" %d", balance)
		if pending != 0 {
			text += fmt.Sprintf("(%+d pending)", pending)
		}
	}
	return text[1:]
}

// Prepared are the XA transactions that wait in the database for their second phase.
func (b *Bank) Prepared(tb TB) []string {
	tb.Helper()
	rows, err := b.MariaDB.DB.Query("xa recover")
	if err != nil {
		tb.Fatalf("xa recover: %v", err)
	}
	defer rows.Close()
	names := []string{}
	for rows.Next() {
		var format, gidLength, branchLength int
		var name string
		if err := rows.Scan(&format, &gidLength, &branchLength, &name); err != nil {
			tb.Fatalf("xa recover: %v", err)
		}
		names = append(names, name)
	}
	return names
}

// executor is a transaction, or the connection of an XA branch.
type executor interface {
	Exec(query string, args ...interface{}) (sql.Result, error)
}

// Book does one operation of a branch to an account: `delta` is its effect on the balance.
func Book(db executor, op string, account, delta int64) error {
	const open = " and not closed and balance + pending + ? >= 0"
	switch op {
	case "action", "msg":
		return change(db, "balance = balance + ?", open, account, delta)
	case "compensate", "rollback":
		return change(db, "balance = balance + ?", "", account, -delta)
	case "try":
		return change(db, "pending = pending + ?", open, account, delta)
	case "cancel":
		return change(db, "pending = pending + ?", "", account, -delta)
	case "confirm":
		if err := change(db, "pending = pending + ?", "", account, -delta); err != nil {
			return err
		}
		return change(db, "balance = balance + ?", "", account, delta)
	default:
		return fmt.Errorf("an account knows no operation %q", op)
	}
}

func change(db executor, assignment, condition string, account, delta int64) error {
	args := []interface{}{delta, account}
	if condition != "" {
		args = append(args, delta)
	}
	result, err := db.Exec("update account set "+assignment+" where id = ?"+condition, args...)
	if err != nil {
		return err
	}
	if rows, err := result.RowsAffected(); err != nil || rows == 1 {
		return err
	}
	return fmt.Errorf("account %d refuses %w", account, dtmcli.ErrFailure)
}

// underBarrier does an operation once, however often and in whatever order it is asked for.
func (b *Bank) underBarrier(barrier *dtmcli.BranchBarrier, account, delta int64) error {
	if barrier.Op == "msg" {
		return barrier.QueryPrepared(b.MariaDB.DB)
	}
	return barrier.CallWithDB(b.MariaDB.DB, func(tx *sql.Tx) error {
		return Book(tx, barrier.Op, account, delta)
	})
}

// DoXa is a step of a workflow: an XA branch that changes an account.
func (b *Bank) DoXa(wf *workflow.Workflow, account, delta int64) error {
	return b.MariaDB.AwaitDetached(func(connection *int64) error {
		_, err := wf.NewBranch().DoXa(b.MariaDB.Conf, func(db *sql.DB) ([]byte, error) {
			return nil, bookXa(db, connection, account, delta)
		})
		return err
	})
}

// bookXa is the local part of an XA branch, on its own connection.
func bookXa(db *sql.DB, connection *int64, account, delta int64) error {
	if err := db.QueryRow("select connection_id()").Scan(connection); err != nil {
		return err
	}
	return Book(db, "action", account, delta)
}
