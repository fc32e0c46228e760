package contract

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

// A Checker holds exchanges to the documents and remembers what it has seen. It is safe for concurrent use.
type Checker struct {
	folder    string
	documents []Document
	apis      apis

	mu        sync.Mutex
	exchanges []Exchange
	seen      map[Finding]bool // what was visited; Message is empty
	used      map[string]bool  // exceptions, by their text
}

// NewChecker reads the documents from a folder.
func NewChecker(folder string, documents []Document) (*Checker, error) {
	all, err := loadAll(folder, documents, func(*patch) bool { return true })
	if err != nil {
		return nil, err
	}
	return &Checker{folder: folder, documents: documents, apis: all, seen: map[Finding]bool{}, used: map[string]bool{}}, nil
}

// Check gives what is wrong with an exchange and is no exception.
func (c *Checker) Check(e Exchange) []Finding {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.exchanges = append(c.exchanges, e)
	return c.except(c.apis.check(e, c.visit))
}

// CheckDelivery gives what is wrong with the body of a payment's webhook, which only a schema of the document is about.
func (c *Checker) CheckDelivery(body []byte) []Finding {
	c.mu.Lock()
	defer c.mu.Unlock()
	const name, schema = "epayment", "WebhookEvent"
	for _, a := range c.apis {
		if a.name == name {
			o := operation{api: a, name: schema, visit: c.visit}
			return c.except(o.label(Told, o.body(Told, a.spec.Components.Schemas[schema].Value, body)))
		}
	}
	return []Finding{{API: name, Operation: schema, Side: Told, Rule: "route", Message: "no such document"}}
}

func (c *Checker) visit(f Finding) {
	if f.API == "" { // the name of an answer that the document does not have
		c.used[f.Rule] = true
		return
	}
	c.seen[f] = true
}

func (c *Checker) except(found []Finding) []Finding {
	var left []Finding
	for _, f := range found {
		i := slices.IndexFunc(exceptions, func(x exception) bool { return x.covers(f) })
		if i < 0 {
			left = append(left, f)
			continue
		}
		c.used[exceptions[i].String()] = true
	}
	return left
}

// Unused are the exceptions that nothing needed so far, in the words of exceptions.go. A patch is needed if without it some
// exchange would have had a finding.
func (c *Checker) Unused() ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var unused []string
	for _, x := range exceptions {
		if !c.used[x.String()] {
			unused = append(unused, x.String())
		}
	}
	for _, x := range undeclared {
		for _, status := range x.status {
			if name := x.use(status); !c.used[name] {
				unused = append(unused, name)
			}
		}
	}
	for i := range patches {
		without, err := loadAll(c.folder, c.documents, func(p *patch) bool { return p != &patches[i] })
		if err != nil {
			return nil, err
		}
		needed := slices.ContainsFunc(c.exchanges, func(e Exchange) bool {
			return len(without.check(e, func(Finding) {})) > len(c.apis.check(e, func(Finding) {}))
		})
		if !needed {
			unused = append(unused, patches[i].name)
		}
	}
	for _, x := range unseen {
		for f := range c.seen {
			if x.covers(f) {
				unused = append(unused, fmt.Sprintf("%s: but %s was seen", x, f.Where))
			}
		}
	}
	return unused, nil
}

// Unseen is what the documents have and no exchange had: an operation, a status, a property, a word. What is deprecated does
// not count.
func (c *Checker) Unseen() []Finding {
	c.mu.Lock()
	defer c.mu.Unlock()
	missing := map[Finding]bool{}
	want := func(f Finding) {
		covered := slices.ContainsFunc(unseen, func(x exception) bool { return x.covers(f) })
		if !c.seen[f] && !covered {
			missing[f] = true
		}
	}
	for _, a := range c.apis {
		for path, item := range a.spec.Paths.Map() {
			for method, o := range item.Operations() {
				if o.Deprecated {
					continue
				}
				f := Finding{API: a.name, Operation: method + " " + path}
				if o.RequestBody != nil {
					f.Side = Sent
					expectContent(o.RequestBody.Value.Content, f, want)
				}
				f.Side = Answered
				for status, answer := range o.Responses.Map() {
					f.Where = "status " + status
					want(f)
					expectContent(answer.Value.Content, f, want)
				}
			}
		}
		if schema, ok := a.spec.Components.Schemas["WebhookEvent"]; ok {
			f := Finding{API: a.name, Operation: "WebhookEvent", Side: Told}
			expect(schema.Value, "", func(at string) { f.Where = at; want(f) })
		}
	}
	return slices.SortedFunc(maps.Keys(missing), func(x, y Finding) int { return cmp.Compare(x.String(), y.String()) })
}

func expectContent(content openapi3.Content, f Finding, want func(Finding)) {
	for _, media := range content {
		expect(media.Schema.Value, "", func(at string) { f.Where = at; want(f) })
	}
}

// Exchanges is how many there were.
func (c *Checker) Exchanges() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.exchanges)
}
