package contract

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// A Document is one OpenAPI document.
type Document struct {
	API  string // its name in findings and exceptions
	File string
}

// Documents are those that there is a tour for.
var Documents = []Document{
	{"token", "access-token-2023-11.yaml"},
	{"epayment", "epayment-1.8.1.yaml"},
	{"webhooks", "webhooks-2023-12.yaml"},
	{"qr", "qr-2024-10.yaml"},
	{"ordermanagement", "ordermanagement-2025-06.yaml"},
}

// An api is a document that has been read.
type api struct {
	name   string
	prefix string // what its servers' addresses have before the paths: "/epayment"
	spec   *openapi3.T
	router routers.Router
}

// load reads a document and mends it with the patches for which want is true.
func load(folder string, d Document, want func(*patch) bool) (*api, error) {
	loader := openapi3.NewLoader() // follows references within the document only
	spec, err := loader.LoadFromFile(filepath.Join(folder, d.File))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.File, err)
	}
	if len(spec.Servers) == 0 {
		return nil, fmt.Errorf("%s: no servers", d.File)
	}
	server, err := url.Parse(spec.Servers[0].URL)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.File, err)
	}
	spec.Servers = nil // paths are matched whatever the host
	for i := range patches {
		if p := &patches[i]; p.api == d.API && want(p) {
			if err := p.apply(spec); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", d.File, p.name, err)
			}
		}
	}
	router, err := legacy.NewRouter(spec, openapi3.DisableExamplesValidation())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.File, err)
	}
	return &api{name: d.API, prefix: strings.TrimSuffix(server.Path, "/"), spec: spec, router: router}, nil
}

// find is the operation of a request.
func (a *api) find(r *http.Request) (*openapi3filter.RequestValidationInput, error) {
	stripped := r.Clone(r.Context())
	stripped.URL.Path = strings.TrimPrefix(r.URL.Path, a.prefix)
	stripped.Body = nil
	route, parameters, err := a.router.FindRoute(stripped)
	if err != nil {
		return nil, err
	}
	return &openapi3filter.RequestValidationInput{Request: stripped, PathParams: parameters, Route: route}, nil
}

// owns says whether a path is of this API.
func (a *api) owns(path string) bool { return strings.HasPrefix(path, a.prefix+"/") }
