package vippstest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/vippsvending/vipps/vending/vippstest"
)

// failing is a TB that keeps what a test would have failed with.
type failing struct {
	errors   []string
	cleanups []func()
}

func (f *failing) Helper()           {}
func (f *failing) Cleanup(do func()) { f.cleanups = append(f.cleanups, do) }
func (f *failing) Errorf(format string, args ...any) {
	f.errors = append(f.errors, fmt.Sprintf(format, args...))
}

func TestAHandlerThatPanicsFailsTheTest(t *testing.T) {
	t.Parallel()
	tb := &failing{}
	m := &merchant{t: t, server: vippstest.Start(tb, vippstest.Options{})}
	m.client = &http.Client{Transport: m.server.Transport()}
	m.login()
	m.mustRegister(hook, createdEvent)
	m.server.HandleWebhooks(hook, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("out of cola") }))
	m.mustCreate("reference-1", nil)
	m.server.Settle()
	for _, do := range tb.cleanups {
		do()
	}
	if len(tb.errors) != 1 || !strings.Contains(tb.errors[0], "out of cola") {
		t.Errorf("%q", tb.errors)
	}
}
