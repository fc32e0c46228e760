package vippstest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// A rule says what a value must be. Rules are put together to the schema of a body; see the ones below.
type rule func(c *check, path string, v value)

// A check collects what is wrong with a body.
type check struct {
	lenient bool     // unknown fields are ignored
	details []detail // broken rules of the schema
	code    string   // the first numeric code; only counts when the schema holds
	reason  string
}

func (c *check) wrong(path, format string, args ...any) {
	c.details = append(c.details, detail{path, fmt.Sprintf(format, args...)})
}

func (c *check) refuse(code, format string, args ...any) {
	if c.code == "" {
		c.code, c.reason = code, fmt.Sprintf(format, args...)
	}
}

// verdict is the refusal, if there is one. What breaks the schema has no code and comes first.
func (c *check) verdict() (refusal, bool) {
	if len(c.details) > 0 {
		return refusal{details: c.details}, false
	}
	return refusal{code: c.code, detail: c.reason}, c.code == ""
}

// A field is a member of an object.
type field struct {
	name     string
	required bool
	null     bool // may be null, which is the same as absent
	rule     rule
}

func required(name string, r rule) field { return field{name: name, required: true, rule: r} }
func optional(name string, r rule) field { return field{name: name, rule: r} }
func nullable(name string, r rule) field { return field{name: name, null: true, rule: r} }

// present is a field that must be there, if only as null.
func present(name string, r rule) field {
	return field{name: name, required: true, null: true, rule: r}
}

func object(fields ...field) rule {
	return func(c *check, path string, v value) {
		if v.kind != isObject {
			c.wrong(path, "The value must be an object.")
			return
		}
		seen := map[string]bool{}
		for _, m := range v.members {
			known := slices.ContainsFunc(fields, func(f field) bool { return f.name == m.name })
			switch {
			case seen[m.name]:
				c.wrong(join(path, m.name), "The field must not come twice.")
			case !known && !c.lenient:
				c.wrong(join(path, m.name), "The field is not known.")
			}
			seen[m.name] = true
		}
		for _, f := range fields {
			f.check(c, join(path, f.name), v.get(f.name))
		}
	}
}

func (f field) check(c *check, path string, v value) {
	switch {
	case v.kind == isAbsent && f.required:
		c.wrong(path, "The field is required.")
	case v.kind == isAbsent, v.kind == isNull && f.null:
	case v.kind == isNull:
		c.wrong(path, "The field must not be null.")
	default:
		f.rule(c, path, v)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func array(least int, item rule) rule {
	return func(c *check, path string, v value) {
		if v.kind != isArray {
			c.wrong(path, "The value must be an array.")
			return
		}
		if len(v.items) < least {
			c.wrong(path, "The array must have at least %d items.", least)
		}
		for i, e := range v.items {
			item(c, fmt.Sprintf("%s[%d]", path, i), e)
		}
	}
}

// text is a string of so many characters.
func text(least, most int) rule {
	return func(c *check, path string, v value) {
		if v.kind != isString {
			c.wrong(path, "The value must be a string.")
			return
		}
		if n := utf8.RuneCountInString(v.text); n < least || n > most {
			c.wrong(path, "The value must have %d to %d characters.", least, most)
		}
	}
}

// anyText is a string without further rules.
var anyText = text(0, maxBody)

func pattern(re *regexp.Regexp) rule {
	return func(c *check, path string, v value) {
		if v.kind != isString || !re.MatchString(v.text) {
			c.wrong(path, "The value must match the regular expression '%s'.", re)
		}
	}
}

func oneOf(words ...string) rule {
	return func(c *check, path string, v value) {
		if v.kind != isString || !slices.Contains(words, v.text) {
			c.wrong(path, "The value must be one of %s.", strings.Join(words, ", "))
		}
	}
}

func integer(least, most int64) rule {
	return func(c *check, path string, v value) {
		if n, ok := v.integer(); !ok || n < least || n > most {
			c.wrong(path, "The value must be an integer from %d to %d.", least, most)
		}
	}
}

func boolean(c *check, path string, v value) {
	if v.kind != isBool {
		c.wrong(path, "The value must be true or false.")
	}
}
