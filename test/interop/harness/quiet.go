package harness

import (
	kratoslog "github.com/go-kratos/kratos/v2/log"

	"github.com/dtm-labs/logger"
	"go.uber.org/zap"
)

// The libraries under the tests log every call; between the lines of `go test` that only hides what
// matters. What they have to say of a failure is in the errors they return.
func init() {
	kratoslog.SetLogger(silent{})
	logger.WithLogger(silent{})
}

func quietLogger() *zap.Logger { return zap.NewNop() }

type silent struct{}

func (silent) Log(kratoslog.Level, ...interface{}) error { return nil }
func (silent) Debugf(string, ...interface{})             {}
func (silent) Infof(string, ...interface{})              {}
func (silent) Warnf(string, ...interface{})              {}
func (silent) Errorf(string, ...interface{})             {}
