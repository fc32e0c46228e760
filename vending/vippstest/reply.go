package vippstest

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// A reply is an answer before it is put on a wire.
type reply struct {
	status int
	header http.Header
	body   []byte
	code   string // the numeric code, if it is a refusal with one
}

// encode renders v as Vipps does: compact, and with &, < and > as they are.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("vippstest: " + err.Error()) // only types of this package are encoded
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func answer(status int, contentType string, v any) reply {
	r := reply{status: status, header: http.Header{}}
	if v != nil {
		r.header.Set("Content-Type", contentType)
		r.body = encode(v)
	}
	return r
}

// empty is an answer without a body.
func empty(status int) reply { return reply{status: status, header: http.Header{}} }

// Content types of answers. Successful modifications of payments really are announced as problems.
const (
	typeJSON    = "application/json"
	typeToken   = "application/json;charset=UTF-8"
	typeProblem = "application/problem+json"
)

// gatewayError is an answer of the Azure gateway in front of every API.
func gatewayError(status int, message string) reply {
	r := answer(status, typeJSON, struct {
		StatusCode int    `json:"statusCode"`
		Message    string `json:"message"`
	}{status, message})
	return r
}

// proxyError is what something between the client and the gateway says when it gets no answer: not JSON at all.
func proxyError(status int) reply {
	text := http.StatusText(status)
	return reply{
		status: status,
		header: http.Header{"Content-Type": {"text/html"}},
		body:   []byte("<html><head><title>" + text + "</title></head><body><h1>" + text + "</h1></body></html>"),
	}
}
