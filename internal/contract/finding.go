package contract

import (
	"errors"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// A Finding is one way in which an exchange differs from a document. All but Message name it, for exceptions.
type Finding struct {
	API       string
	Operation string // "POST /v1/payments", as the document spells it
	Side      Side
	Where     string // "/receipt/orderLines/*/taxRate" in the body, "header X", "status 409", "body" or ""
	Rule      string // the keyword of the schema, or "unknown", "status", "content type", "security", "route", "JSON"
	Message   string
}

// Side says who deviates.
type Side string

// The sides.
const (
	Sent     Side = "request"  // by the client
	Answered Side = "answer"   // by the server
	Told     Side = "delivery" // by the server, to a webhook
)

// String prints the finding in one line.
func (f Finding) String() string {
	return fmt.Sprintf("%s %s, %s: %s: %s: %s", f.API, f.Operation, f.Side, f.Where, f.Rule, f.Message)
}

// findings takes the errors of a validation apart. Each is at where, or below it.
func findings(err error, where string) []Finding {
	if err == nil {
		return nil
	}
	if many, ok := err.(openapi3.MultiError); ok { //nolint:errorlint // wrapped ones are reached below, with their place
		var all []Finding
		for _, one := range many {
			all = append(all, findings(one, where)...)
		}
		return all
	}
	if request, ok := errors.AsType[*openapi3filter.RequestError](err); ok {
		if p := request.Parameter; p != nil {
			where = p.In + " " + p.Name
		}
		if errors.Is(err, openapi3filter.ErrInvalidRequired) {
			return []Finding{{Where: where, Rule: "required", Message: err.Error()}}
		}
		if request.Err != nil {
			return findings(request.Err, where)
		}
	}
	if _, ok := errors.AsType[*openapi3filter.SecurityRequirementsError](err); ok {
		return []Finding{{Where: "header Authorization", Rule: "security", Message: err.Error()}}
	}
	if broken, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		for _, part := range broken.JSONPointer() {
			if part != "" && strings.Trim(part, "0123456789") == "" {
				part = "*" // which element of an array does not matter
			}
			where += "/" + part
		}
		return []Finding{{Where: where, Rule: broken.SchemaField, Message: broken.Reason}}
	}
	return []Finding{{Where: where, Rule: "", Message: err.Error()}}
}
