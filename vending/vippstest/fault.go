package vippstest

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// A Fault makes requests fail. It waits for requests of its operation and reference, lets Skip of them pass, and strikes
// the next Count.
type Fault struct {
	// Op is the operation. Empty is any.
	//
	//   - "token";
	//   - of payments "create", "get", "events", "capture", "cancel", "refund", and "approve", which is forced approval;
	//   - of webhooks "register", "list", "delete";
	//   - of redirect codes "qr-redirect-create", "qr-redirect-list", "qr-redirect-get", "qr-redirect-update",
	//     "qr-redirect-delete";
	//   - of callback codes "qr-callback-put", "qr-callback-list", "qr-callback-get", "qr-callback-delete", "qr-beacon";
	//   - of other codes "qr-one-time", "qr-exchange", "qr-exchange-customer";
	//   - of Order Management "receipt", "order", "image", "category" (version 2), and "category-add", "category-list",
	//     "category-get", "category-delete" (version 3);
	//   - the pages "landing" and "qr-page", and "qr-image", which is every image of a code.
	Op string
	// Reference is the payment or order, or else the id of the redirect code, callback code, beacon or image. Empty is any.
	Reference string
	// Skip is how many requests pass first.
	Skip int
	// Count is how many are struck: 0 is one, less than 0 is all that follow.
	Count int
	// Kind is what goes wrong.
	Kind FaultKind

	// Status, Code, Title, Body, ContentType and RetryAfter say how Refuse and RefuseSticky refuse. Code is a numeric code
	// such as "6280"; Status defaults to what the code stands for, or to 400. Body, if set, is sent as it is, with
	// ContentType, which defaults to application/json. A refusal without code and body looks as the gateway would make it:
	// 401, 403 and 429 in its own shape, 502, 503 and 504 as HTML. RetryAfter is rounded up to seconds.
	Status      int
	Code        string
	Title       string
	Body        string
	ContentType string
	RetryAfter  time.Duration

	// Delay is how long Slow holds the answer back, and how late a Late request arrives.
	Delay time.Duration
}

// injected counts what a fault has done.
type injected struct {
	skip, count, seen, struck int
}

// over says whether there is nothing left to strike.
func (i *injected) over() bool { return i.count >= 0 && i.struck >= max(i.count, 1) }

// strikes says whether the one that just came is struck.
func (i *injected) strikes() bool {
	i.seen++
	if i.seen <= i.skip {
		return false
	}
	i.struck++
	return true
}

type requestFault struct {
	Fault
	injected
}

// FaultKind is a way in which a request fails.
type FaultKind string

// The ways in which a request fails.
const (
	// Refuse answers with Status and Code, or Body. Nothing is executed, and the same key may succeed the next time.
	Refuse FaultKind = "refuse"
	// RefuseSticky refuses in the way of the operation itself: the refusal is remembered for the idempotency key, as any other
	// of its code would be. A key that was answered before gets that answer instead, and the fault waits.
	RefuseSticky FaultKind = "refuse-sticky"
	// ErrorBefore answers 500 without executing.
	ErrorBefore FaultKind = "error-before"
	// ErrorAfter executes and answers 500.
	ErrorAfter FaultKind = "error-after"
	// Unreachable is nobody listening: the request was certainly not received.
	Unreachable FaultKind = "unreachable"
	// HangUpBefore closes the connection without executing.
	HangUpBefore FaultKind = "hang-up-before"
	// HangUpAfter executes and closes the connection without an answer.
	HangUpAfter FaultKind = "hang-up-after"
	// HalfBody executes and closes the connection in the middle of the answer. An answer without a body is not sent at all.
	HalfBody FaultKind = "half-body"
	// Slow executes at once and answers after Delay.
	Slow FaultKind = "slow"
	// Late breaks the connection at once and executes after Delay, as if the request had been stuck on its way.
	Late FaultKind = "late"
	// Hang never answers and never executes. It ends with the request's context.
	Hang FaultKind = "hang"
)

var faultKinds = []FaultKind{
	Refuse, RefuseSticky, ErrorBefore, ErrorAfter, Unreachable, HangUpBefore, HangUpAfter, HalfBody, Slow, Late, Hang,
}

// Inject adds faults. Of several that fit a request the first one injected strikes. It panics if a Kind is not one of the
// constants.
func (s *Server) Inject(f ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, fault := range f {
		if !slices.Contains(faultKinds, fault.Kind) {
			panic(fmt.Sprintf("vippstest: unknown fault kind %q", fault.Kind))
		}
		s.faults = append(s.faults, &requestFault{fault, injected{skip: fault.Skip, count: fault.Count}})
	}
}

// ClearFaults removes all faults, of requests and of deliveries. What they have done already takes its course.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.deliveryFaults = nil, nil
}

// strike finds the fault of a call that has just come in.
func (s *Server) strike(c *call) {
	for _, f := range s.faults {
		if f.Op != "" && f.Op != c.op() || f.Reference != "" && f.Reference != c.reference || f.over() {
			continue
		}
		if f.Kind == RefuseSticky && s.answeredBefore(c) {
			continue
		}
		if f.strikes() {
			c.fault = &f.Fault
			return
		}
	}
}

func (s *Server) answeredBefore(c *call) bool {
	if c.route == nil || c.route.key == noKey {
		return false
	}
	_, ok := s.keptFor(keyID{c.header.Get("Merchant-Serial-Number"), c.route.op, c.header.Get("Idempotency-Key")}, s.now())
	return ok
}

// refusal is the answer of Refuse and RefuseSticky.
func (f *Fault) refusal(c *call) reply {
	r := f.wording(c)
	if f.RetryAfter > 0 {
		r.header.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
	}
	return r
}

func (f *Fault) wording(c *call) reply {
	status := f.Status
	if status == 0 {
		status = statusOf(f.Code)
	}
	switch {
	case f.Body != "":
		kind := f.ContentType
		if kind == "" {
			kind = typeJSON
		}
		return reply{status: status, header: http.Header{"Content-Type": {kind}}, body: []byte(f.Body), code: f.Code}
	case f.Code != "" || c.route == nil:
		return refuseAs(c)(c, refusal{status: status, code: f.Code, title: f.Title})
	case status == http.StatusTooManyRequests:
		wait := f.RetryAfter
		if wait <= 0 {
			wait = time.Minute
		}
		r := tooMany(wait)
		if f.RetryAfter <= 0 {
			r.header.Del("Retry-After")
		}
		return r
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return gatewayError(status, "Something went wrong, please try again later")
	case status >= http.StatusBadGateway && status <= http.StatusGatewayTimeout:
		return proxyError(status)
	default:
		return refuseAs(c)(c, refusal{status: status, title: f.Title})
	}
}

func refuseAs(c *call) func(*call, refusal) reply {
	if c.route == nil {
		return refusePayment
	}
	return c.route.refuse
}

// internalError is the answer of ErrorBefore and ErrorAfter.
func internalError(c *call) reply {
	return refuseAs(c)(c, refusal{status: http.StatusInternalServerError, code: "3010"})
}
