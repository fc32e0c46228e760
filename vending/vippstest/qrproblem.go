package vippstest

import (
	"net/http"
	"strings"
)

// paramProblem is how the QR and Order Management APIs refuse: without a status, and the trace id is the instance.
type paramProblem struct {
	Type          string   `json:"type,omitempty"`
	Title         string   `json:"title"`
	Detail        string   `json:"detail"`
	Instance      string   `json:"instance"`
	InvalidParams []detail `json:"invalidParams,omitempty"`
}

// refuseParams words a refusal as the Order Management API does. Fields are called as its server calls them.
func refuseParams(c *call, r refusal) reply {
	if r.status == http.StatusInternalServerError || r.status == http.StatusUnauthorized {
		return empty(r.status)
	}
	malformed := len(r.details) > 0
	r = r.complete()
	p := paramProblem{Title: r.title, Detail: r.detail, Instance: c.traceID}
	if malformed {
		p.Type = "https://datatracker.ietf.org/doc/html/rfc7231#section-6.5.1"
		p.Title, p.Detail = "One or more validation errors occurred.", "BadRequest"
		for _, d := range r.details {
			p.InvalidParams = append(p.InvalidParams, detail{pascal(d.Name), d.Reason})
		}
	}
	if p.Detail == "" {
		p.Detail = p.Title
	}
	return answer(r.status, typeJSON, p)
}

// refuseCode is refuseParams, but for what is taken already, which is answered with nothing but its id.
func refuseCode(c *call, r refusal) reply {
	switch {
	case r.status == http.StatusConflict:
		return answer(r.status, typeJSON, struct {
			ID string `json:"id"`
		}{c.reference})
	case r.status == http.StatusNotFound && c.op() == "qr-callback-get":
		return empty(r.status)
	default:
		return refuseParams(c, r)
	}
}

// exchangeProblem is how the exchanges of the QR API refuse.
type exchangeProblem struct {
	Title        string   `json:"title"`
	Status       int      `json:"status"`
	Detail       string   `json:"detail"`
	ExtraDetails []detail `json:"extraDetails,omitempty"`
}

func refuseExchange(c *call, r refusal) reply {
	if r.status == http.StatusInternalServerError || r.status == http.StatusUnauthorized {
		return empty(r.status)
	}
	malformed := len(r.details) > 0
	r = r.complete()
	p := exchangeProblem{Title: r.title, Status: r.status, Detail: r.detail, ExtraDetails: r.details}
	if malformed {
		p.Title, p.Detail = "Bad request", "The request body contains one or more invalid parameters."
	}
	if p.Detail == "" {
		p.Detail = p.Title
	}
	return answer(r.status, typeJSON, p)
}

// pascal is a path of fields with capitals: orderLines[0].name is OrderLines[0].Name.
func pascal(path string) string {
	parts := strings.Split(path, ".")
	for i, p := range parts {
		if p != "" {
			parts[i] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, ".")
}
