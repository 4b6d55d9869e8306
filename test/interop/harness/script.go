package harness

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-kratos/kratos/v2/errors"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Call is one call of a branch as the service saw it.
type Call struct {
	Gid, TransType, Branch, Op string

	Method   string            // "/api.trans.v1.Trans/TransIn" or "POST /in"
	Payload  string            // bytes of the HTTP body, or of the protobuf message
	Headers  map[string]string // metadata or headers, names in lower case, the first value
	Instance string            // name of the service instance that was called
	At       time.Time
	Left     time.Duration // until the caller's deadline; 0 without one
}

// String is branch and operation: "01 action".
func (c Call) String() string { return c.Branch + " " + c.Op }

// Reply decides what a service answers; nil is success. It may block until the context ends.
type Reply func(ctx context.Context, call Call) error

// answer is an error with its form on both wires.
type answer struct {
	grpc   error
	http   int
	reason string
}

func (a *answer) Error() string { return a.reason }

// Succeed answers OK.
func Succeed(context.Context, Call) error { return nil }

// Ongoing answers that the work is not finished: FAILED_PRECONDITION, 425.
func Ongoing(context.Context, Call) error {
	return &answer{status.Error(codes.FailedPrecondition, "ONGOING"), http.StatusTooEarly, "ONGOING"}
}

// Refuse answers no for business reasons as Kratos services do: an error of code 409.
func Refuse(reason string) Reply {
	return func(context.Context, Call) error {
		return &answer{errors.Conflict("REFUSED", reason), http.StatusConflict, reason}
	}
}

// Break answers an error that says nothing about what was done: UNKNOWN, 500.
func Break(reason string) Reply {
	return func(context.Context, Call) error {
		return &answer{status.Error(codes.Unknown, reason), http.StatusInternalServerError, reason}
	}
}

// AnswerHTTP gives a status code and a body of the test's choice, on HTTP only.
func AnswerHTTP(code int, body string) Reply {
	return func(context.Context, Call) error {
		return &answer{status.Error(codes.Internal, "a reply for HTTP only"), code, body}
	}
}

// AnswerGRPC gives a status of the test's choice, on gRPC only.
func AnswerGRPC(code codes.Code, message string) Reply {
	return func(context.Context, Call) error {
		return &answer{status.Error(code, message), http.StatusInternalServerError, "a reply for gRPC only"}
	}
}

// Hang does not answer before the caller has given up.
func Hang(ctx context.Context, _ Call) error {
	<-ctx.Done()
	return &answer{status.FromContextError(ctx.Err()).Err(), http.StatusInternalServerError, "hung"}
}

// After answers OK after a while.
func After(pause time.Duration) Reply {
	return func(ctx context.Context, call Call) error {
		select {
		case <-time.After(pause):
			return nil
		case <-ctx.Done():
			return Hang(ctx, call)
		}
	}
}

// HoldUntil answers OK once the channel is closed.
func HoldUntil(release <-chan struct{}) Reply {
	return func(ctx context.Context, call Call) error {
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return Hang(ctx, call)
		}
	}
}

// Script holds what services shall answer and records what they were asked. All instances of a test's
// services share one. What was not scripted succeeds. Thread-safe.
type Script struct {
	mutex   sync.Mutex
	replies map[string][]Reply
	calls   map[string][]Call
	all     Reply
}

// NewScript makes a script by which everything succeeds.
func NewScript() *Script {
	return &Script{replies: map[string][]Reply{}, calls: map[string][]Call{}}
}

// On sets the answers to calls of one branch operation: one after another, the last one for ever.
func (s *Script) On(gid, branch, op string, replies ...Reply) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.replies[gid+"/"+branch+"/"+op] = replies
}

// OnAll sets what is answered to every call that On says nothing about.
func (s *Script) OnAll(reply Reply) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.all = reply
}

// Calls of a transaction so far, in the order they began.
func (s *Script) Calls(gid string) []Call {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]Call(nil), s.calls[gid]...)
}

// Names of the calls of a transaction: ["01 action", "02 action"].
func (s *Script) Names(gid string) []string {
	names := []string{}
	for _, call := range s.Calls(gid) {
		names = append(names, call.String())
	}
	return names
}

// Total is the number of all calls so far.
func (s *Script) Total() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	total := 0
	for _, calls := range s.calls {
		total += len(calls)
	}
	return total
}

// Instances are the numbers of calls by instance so far.
func (s *Script) Instances() map[string]int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	instances := map[string]int{}
	for _, calls := range s.calls {
		for _, call := range calls {
			instances[call.Instance]++
		}
	}
	return instances
}

// AwaitCall waits until a branch operation has been called n times and returns these calls.
func (s *Script) AwaitCall(tb TB, gid, branch, op string, n int) []Call {
	tb.Helper()
	var found []Call
	Eventually(tb, fmt.Sprintf("call %d of %s %s", n, branch, op), func() (string, bool) {
		found = nil
		for _, call := range s.Calls(gid) {
			if call.Branch == branch && call.Op == op {
				found = append(found, call)
			}
		}
		return fmt.Sprint(s.Names(gid)), len(found) >= n
	})
	return found
}

// answer records the call and gives the scripted reply.
func (s *Script) answer(ctx context.Context, call Call) error {
	call.At = time.Now()
	if deadline, ok := ctx.Deadline(); ok {
		call.Left = time.Until(deadline)
	}
	return s.record(call)(ctx, call)
}

func (s *Script) record(call Call) Reply {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.calls[call.Gid] = append(s.calls[call.Gid], call)
	key := call.Gid + "/" + call.Branch + "/" + call.Op
	replies := s.replies[key]
	switch {
	case len(replies) > 1:
		s.replies[key] = replies[1:]
		return replies[0]
	case len(replies) == 1:
		return replies[0]
	case s.all != nil:
		return s.all
	default:
		return Succeed
	}
}
