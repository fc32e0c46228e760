// Package problem reads the error bodies that the Vipps MobilePay APIs and the gateways in front of them send.
//
// There are about ten shapes, a field may be a number in one and a string in another, and a proxy may answer with a page
// of HTML. Decode reads all of them into one struct and never fails: what it cannot read stays in Body.
package problem

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

const (
	maxBody = 4 << 10 // how much of an unreadable answer is kept
	maxText = 1 << 10 // how much of a field is kept
)

// Problem is what an error answer said, whichever shape it came in.
type Problem struct {
	Code     string // the numeric code of the ePayment API, as text
	Type     string
	Title    string
	Detail   string
	Instance string
	TraceID  string
	Details  []Detail
	Body     string // the start of a body in no known shape, else empty
}

// Detail is one entry of extraDetails or invalidParams.
type Detail struct {
	Name   string
	Reason string
}

// Decode reads an error body. Every text in it goes through clean before it is cut to length, so that not even half of a
// secret is left.
func Decode(body []byte, clean func(string) string) Problem {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	var p Problem
	if err := decoder.Decode(&value); err == nil && p.read(texts(value, clean)) {
		return p
	}
	return Problem{Body: cut(clean(string(body)), maxBody)}
}

// texts is a decoded body with every string and number in it as clean text; both are met where the documents promise one.
func texts(value any, clean func(string) string) any {
	switch v := value.(type) {
	case string:
		return cut(clean(v), maxText)
	case json.Number:
		return cut(clean(v.String()), maxText)
	case []any:
		for i := range v {
			v[i] = texts(v[i], clean)
		}
	case map[string]any:
		for name := range v {
			v[name] = texts(v[name], clean)
		}
	}
	return value
}

// cut is the start of a text, without the half of a character.
func cut(text string, length int) string {
	return strings.ToValidUTF8(text[:min(len(text), length)], "")
}

// read takes what it knows from a decoded body and says whether there was anything.
func (p *Problem) read(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return p.readObject(v)
	case []any:
		// The oldest APIs answer with a list, of {errorMessage, errorCode} or of plain strings.
		for _, entry := range v {
			if fields, ok := entry.(map[string]any); ok {
				p.add(text(fields["errorCode"]), text(fields["errorMessage"]))
			} else {
				p.add("", text(entry))
			}
		}
		if len(p.Details) > 0 {
			p.Title = p.Details[0].Reason
		}
		return p.Title != ""
	default:
		return false
	}
}

func (p *Problem) readObject(fields map[string]any) bool {
	p.Type = text(fields["type"])
	p.Title = first(fields, "title", "error", "message")
	p.Detail = first(fields, "detail", "error_description")
	p.Instance = text(fields["instance"])
	p.TraceID = first(fields, "traceId", "trace_id", "correlation_id")
	for _, name := range []string{"extraDetails", "invalidParams"} {
		list, _ := fields[name].([]any)
		for _, entry := range list {
			if detail, ok := entry.(map[string]any); ok {
				p.add(text(detail["name"]), text(detail["reason"]))
			}
		}
	}
	for _, name := range []string{"errorInfo", "ResponseInfo"} {
		if inner, ok := fields[name].(map[string]any); ok && p.Title == "" {
			p.Title = first(inner, "errorMessage", "ResponseMessage")
		}
	}
	if list, ok := fields["errors"].([]any); ok && p.Title == "" {
		for _, entry := range list {
			p.add("", text(entry))
		}
		if len(p.Details) > 0 {
			p.Title = p.Details[0].Reason
		}
	}
	// QR answers a conflict with nothing but the id that is taken.
	if id := text(fields["id"]); id != "" && p.Title == "" {
		p.Title = "id is taken"
		p.add("id", id)
	}
	// The QR and Order Management APIs have no traceId; instance holds it.
	if p.TraceID == "" && p.Instance != "" && !strings.Contains(p.Instance, "/") {
		p.TraceID = p.Instance
	}
	if i := slices.IndexFunc(p.Details, isCode); i >= 0 {
		p.Code = p.Details[i].Reason
	}
	return p.Title != "" || p.Detail != "" || len(p.Details) > 0
}

// isCode says that a detail is one of the numeric codes. A longer number, or a sentence, is not.
func isCode(d Detail) bool {
	digits := strings.Trim(d.Reason, "0123456789") == ""
	return strings.EqualFold(d.Name, "ErrorCode") && digits && d.Reason != "" && len(d.Reason) <= 6
}

func (p *Problem) add(name, reason string) {
	if name != "" || reason != "" {
		p.Details = append(p.Details, Detail{Name: name, Reason: reason})
	}
}

// first is the first of the named fields that says anything.
func first(fields map[string]any, names ...string) string {
	for _, name := range names {
		if s := text(fields[name]); s != "" {
			return s
		}
	}
	return ""
}

func text(value any) string {
	s, _ := value.(string)
	return s
}
