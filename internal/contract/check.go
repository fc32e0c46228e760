package contract

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// An Exchange is a request and its answer.
type Exchange struct {
	Request *http.Request // its body is in Sent
	Sent    []byte
	// Wrong says that the request is wrong on purpose: only the answer is checked.
	Wrong bool

	Status int // 0 is no answer
	Header http.Header
	Answer []byte
}

// apis are the documents, the one with the longest prefix first found by api.
type apis []*api

func loadAll(folder string, documents []Document, want func(*patch) bool) (apis, error) {
	var all apis
	for _, d := range documents {
		a, err := load(folder, d, want)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

func (all apis) owner(path string) *api {
	var owner *api
	for _, a := range all {
		if a.owns(path) && (owner == nil || len(a.prefix) > len(owner.prefix)) {
			owner = a
		}
	}
	return owner
}

// check compares an exchange with its document. It also reports, by visit, every property and word that it saw.
func (all apis) check(e Exchange, visit func(Finding)) []Finding {
	name := e.Request.Method + " " + e.Request.URL.Path
	a := all.owner(e.Request.URL.Path)
	if a == nil {
		return []Finding{{Operation: name, Side: Sent, Rule: "route", Message: "no document has this path"}}
	}
	input, err := a.find(e.Request)
	if err != nil {
		return []Finding{{API: a.name, Operation: name, Side: Sent, Rule: "route", Message: err.Error()}}
	}
	o := operation{api: a, name: input.Route.Method + " " + input.Route.Path, input: input, visit: visit}
	var found []Finding
	if !e.Wrong {
		found = o.label(Sent, o.request(e))
	}
	if e.Status != 0 {
		found = append(found, o.label(Answered, o.answer(e))...)
	}
	return found
}

// An operation is what a document says about an exchange.
type operation struct {
	api   *api
	name  string
	input *openapi3filter.RequestValidationInput
	visit func(Finding)
}

func (o *operation) label(side Side, all []Finding) []Finding {
	for i := range all {
		all[i].API, all[i].Operation, all[i].Side = o.api.name, o.name, side
	}
	return all
}

func (o *operation) request(e Exchange) []Finding {
	o.input.Options = &openapi3filter.Options{
		ExcludeRequestBody: true, MultiError: true, SkipSettingDefaults: true,
		AuthenticationFunc: bearer, SchemaValidationOptions: formats,
	}
	found := findings(openapi3filter.ValidateRequest(e.Request.Context(), o.input), "")
	found = append(found, o.undeclared(e)...)
	body := o.input.Route.Operation.RequestBody
	switch {
	case body == nil && len(e.Sent) > 0:
		return append(found, Finding{Where: "body", Rule: "unknown", Message: "the operation has none"})
	case body == nil, len(e.Sent) == 0 && !body.Value.Required:
		return found
	case len(e.Sent) == 0:
		return append(found, Finding{Where: "body", Rule: "required", Message: "there is none"})
	}
	return append(found, o.content(Sent, body.Value.Content, e.Request.Header, e.Sent)...)
}

func bearer(_ context.Context, input *openapi3filter.AuthenticationInput) error {
	header := input.RequestValidationInput.Request.Header.Get(cmp.Or(input.SecurityScheme.Name, "Authorization"))
	if token, ok := strings.CutPrefix(header, "Bearer "); !ok || token == "" {
		return errors.New("no bearer token")
	}
	return nil
}

// undeclared are the headers and parameters of the query that the operation does not have.
func (o *operation) undeclared(e Exchange) []Finding {
	// Of HTTP rather than of the API.
	declared := map[string]bool{"header Accept": true, "header Accept-Encoding": true, "header User-Agent": true, "header Content-Length": true}
	if len(e.Sent) > 0 {
		declared["header Content-Type"] = true
	}
	route := o.input.Route
	for _, parameters := range []openapi3.Parameters{route.PathItem.Parameters, route.Operation.Parameters} {
		for _, p := range parameters {
			name := p.Value.Name
			if p.Value.In == openapi3.ParameterInHeader {
				name = http.CanonicalHeaderKey(name)
			}
			declared[p.Value.In+" "+name] = true
		}
	}
	security := route.Operation.Security
	if security == nil {
		security = &route.Spec.Security
	}
	if len(*security) > 0 {
		declared["header Authorization"] = true
	}
	var found []Finding
	report := func(where string) {
		if !declared[where] {
			found = append(found, Finding{Where: where, Rule: "unknown", Message: "the operation has no such parameter"})
		}
	}
	for name := range e.Request.Header {
		report("header " + name)
	}
	for name := range e.Request.URL.Query() {
		report("query " + name)
	}
	return found
}

func (o *operation) answer(e Exchange) []Finding {
	status := fmt.Sprint("status ", e.Status)
	o.visit(Finding{API: o.api.name, Operation: o.name, Side: Answered, Where: status})
	declared := o.input.Route.Operation.Responses.Status(e.Status)
	shapes := undeclaredAnswers(o.api.name, e)
	switch {
	case declared != nil && (declared.Value.Content.Get(e.Header.Get("Content-Type")) != nil || len(shapes) == 0 && len(declared.Value.Content) > 0):
		return o.content(Answered, declared.Value.Content, e.Header, e.Answer)
	case declared != nil && len(declared.Value.Content) == 0 && len(e.Answer) == 0:
		return nil
	case declared == nil && len(shapes) == 0:
		return []Finding{{Where: status, Rule: "status", Message: "not in the document"}}
	case len(shapes) == 0:
		return []Finding{{Where: "body", Rule: "unknown", Message: status + " has none"}}
	}
	// The one that fits best is the one that was meant.
	var best []Finding
	var meant *shape
	for _, shape := range shapes {
		if found := o.content(Answered, shape.content(o.api.spec), e.Header, e.Answer); meant == nil || len(found) < len(best) {
			best, meant = found, shape
		}
	}
	o.visit(Finding{Rule: meant.use(e.Status)})
	for i := range best {
		best[i].Message += " (taken for a " + meant.name + ")"
	}
	return best
}

// content checks a body, its type, and that nothing in it is unknown.
func (o *operation) content(side Side, content openapi3.Content, header http.Header, body []byte) []Finding {
	kind := header.Get("Content-Type")
	media := content.Get(kind)
	if media == nil {
		return []Finding{{Where: "header Content-Type", Rule: "content type", Message: fmt.Sprintf("%q is not declared", kind)}}
	}
	if short, _, err := mime.ParseMediaType(kind); err != nil || !strings.HasSuffix(short, "json") {
		return nil // a page
	}
	return o.body(side, media.Schema.Value, body)
}

func (o *operation) body(side Side, schema *openapi3.Schema, body []byte) []Finding {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return []Finding{{Where: "body", Rule: "JSON", Message: err.Error()}}
	}
	direction := openapi3.VisitAsRequest()
	if side == Answered {
		direction = openapi3.VisitAsResponse()
	}
	found := findings(schema.VisitJSON(value, append([]openapi3.SchemaValidationOption{openapi3.MultiErrors(), direction}, formats...)...), "")
	walk(schema, value, "", func(at string, known bool) {
		o.visit(Finding{API: o.api.name, Operation: o.name, Side: side, Where: at})
		if !known && !has(found, at) {
			found = append(found, Finding{Where: at, Rule: "unknown", Message: "the schema has no such property"})
		}
	})
	return found
}

func has(found []Finding, at string) bool {
	for _, f := range found {
		if f.Where == at {
			return true
		}
	}
	return false
}

// formats are those that the documents use and the validator does not know. It passes over formats that are prose.
var formats = []openapi3.SchemaValidationOption{
	openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
		"uuid":  openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC9562),
		"guid":  openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC9562),
		"email": openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForEmail),
		"uri": openapi3.NewCallbackValidator(func(text string) error {
			if u, err := url.Parse(text); err != nil || u.Scheme == "" {
				return errors.New("not a URI with a scheme")
			}
			return nil
		}),
	}),
}
