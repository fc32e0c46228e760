package contract

import (
	"fmt"
	"maps"

	"github.com/getkin/kin-openapi/openapi3"
)

// properties are those of an object, whichever of several alternatives they are from.
func properties(s *openapi3.Schema) openapi3.Schemas {
	all := openapi3.Schemas{}
	maps.Copy(all, s.Properties)
	for _, refs := range []openapi3.SchemaRefs{s.AllOf, s.OneOf, s.AnyOf} {
		for _, ref := range refs {
			maps.Copy(all, properties(ref.Value))
		}
	}
	return all
}

// walk calls visit for every property of a value, with its place and whether the schema knows it, and for every word of an
// enumeration, with "=" and the word behind the place.
func walk(s *openapi3.Schema, value any, at string, visit func(at string, known bool)) {
	switch v := value.(type) {
	case map[string]any:
		known := properties(s)
		for name, member := range v {
			if ref, ok := known[name]; ok {
				visit(at+"/"+name, true)
				walk(ref.Value, member, at+"/"+name, visit)
				continue
			}
			// A schema without properties says nothing about them, and Has nil is a document's silence, not its consent.
			free := len(known) == 0 && s.AdditionalProperties.Has == nil
			has := s.AdditionalProperties.Has != nil && *s.AdditionalProperties.Has
			if ref := s.AdditionalProperties.Schema; ref != nil {
				visit(at+"/*", true)
				walk(ref.Value, member, at+"/*", visit)
				continue
			}
			visit(at+"/"+name, free || has)
		}
	case []any:
		if s.Items == nil {
			return
		}
		for _, element := range v {
			walk(s.Items.Value, element, at+"/*", visit)
		}
	case string:
		if len(s.Enum) > 0 {
			visit(at+"="+v, true)
		}
	}
}

// expect lists what walk can visit: every property and every word, but for what is deprecated.
func expect(s *openapi3.Schema, at string, list func(at string)) {
	for _, word := range s.Enum {
		list(fmt.Sprint(at, "=", word))
	}
	for name, ref := range properties(s) {
		if !ref.Value.Deprecated {
			list(at + "/" + name)
			expect(ref.Value, at+"/"+name, list)
		}
	}
	if ref := s.AdditionalProperties.Schema; ref != nil {
		list(at + "/*")
		expect(ref.Value, at+"/*", list)
	}
	if s.Items != nil {
		expect(s.Items.Value, at+"/*", list)
	}
}
