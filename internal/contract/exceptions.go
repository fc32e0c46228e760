package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Everything in which this module and the documents differ on purpose stands in this file, by name and with the reason.
// Whatever of it turns out to be needed by nothing fails the tests.

// An exception is a finding that is right.
type exception struct {
	api       string
	operation string // a * at the end stands for any ending
	side      Side
	where     string // as operation
	rule      string
	why       string
}

func (x exception) String() string {
	return fmt.Sprintf("%s %s, %s: %s: %s (%s)", x.api, x.operation, x.side, x.where, x.rule, x.why)
}

func (x exception) covers(f Finding) bool {
	return x.api == f.API && x.side == f.Side && x.rule == f.Rule && fits(x.operation, f.Operation) && fits(x.where, f.Where)
}

func fits(pattern, text string) bool {
	if start, ok := strings.CutSuffix(pattern, "**"); ok {
		return strings.HasPrefix(text, start)
	}
	return pattern == text
}

var exceptions = []exception{}

// A patch mends a document before anything is compared with it.
type patch struct {
	api, name, why string
	apply          func(*openapi3.T) error
}

var patches = []patch{
	{
		api: "epayment", name: "Customer: oneOf becomes anyOf with exactly one property",
		why: "each of the three schemas accepts every object, so that oneOf refuses all customers",
		apply: func(spec *openapi3.T) error {
			customer := spec.Components.Schemas["Customer"].Value
			if len(customer.OneOf) != 3 {
				return errors.New("there is no such oneOf")
			}
			customer.AnyOf, customer.OneOf = customer.OneOf, nil
			customer.MinProps, customer.MaxProps = 1, new(uint64(1))
			return nil
		},
	},
}

// A shape is what an answer looks like that the document has no schema for.
type shape struct {
	name      string
	api       string // empty is any
	operation string // empty is any
	status    []int
	kind      string // the content type
	schema    string // of the document, or in JSON if it begins with a brace; empty is no JSON
}

func undeclaredAnswer(a *api, operation string, e Exchange) *shape {
	for i, s := range undeclared {
		kind, _, _ := strings.Cut(e.Header.Get("Content-Type"), ";")
		for _, status := range s.status {
			if status == e.Status && kind == s.kind && (s.api == "" || s.api == a.name) && (s.operation == "" || s.operation == operation) {
				return &undeclared[i]
			}
		}
	}
	return nil
}

func (s *shape) content(spec *openapi3.T) openapi3.Content {
	schema := openapi3.NewSchema()
	switch {
	case strings.HasPrefix(s.schema, "{"):
		if err := json.Unmarshal([]byte(s.schema), schema); err != nil {
			panic(s.name + ": " + err.Error())
		}
	case s.schema != "":
		schema = spec.Components.Schemas[s.schema].Value
	}
	return openapi3.Content{s.kind: openapi3.NewMediaType().WithSchema(schema)}
}

var undeclared = []shape{}

// unseen is what the documents have and neither the clients nor the emulator do.
var unseen = []exception{}
