package vippstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"unicode/utf8"
)

// A value is a JSON value that still knows what decoding into a struct forgets: names that come twice, numbers as they
// were written, the difference between null and absent.
type value struct {
	kind    kind
	text    string // of a string or number
	truth   bool
	members []member
	items   []value
}

type kind int

const (
	isAbsent kind = iota
	isNull
	isBool
	isNumber
	isString
	isArray
	isObject
)

type member struct {
	name  string
	value value
}

// get is the member of that name, spelled exactly so; absent if there is none or v is no object.
func (v value) get(name string) value {
	for _, m := range v.members {
		if m.name == name {
			return m.value
		}
	}
	return value{}
}

// has says whether there is something, null not being something.
func (v value) has() bool { return v.kind > isNull }

// integer is the number, if it is written as a whole one.
func (v value) integer() (int64, bool) {
	n, err := strconv.ParseInt(v.text, 10, 64)
	return n, err == nil && v.kind == isNumber
}

// whole is integer for what has been checked to be one.
func (v value) whole() int64 {
	n, _ := v.integer()
	return n
}

// deepest is how far arrays and objects may be nested.
const deepest = 32

var errTooDeep = errors.New("nested too deeply")

// parse reads a body, or says what is wrong with it.
func parse(body []byte) (v value, wrong string) {
	if !utf8.Valid(body) {
		return value{}, "The body is not UTF-8."
	}
	if !json.Valid(body) {
		return value{}, "The body is not valid JSON."
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err != nil {
		return value{}, "The body is nested too deeply."
	}
	if v.kind != isObject {
		return value{}, "The body must be a JSON object."
	}
	return v, ""
}

func parseValue(d *json.Decoder, depth int) (value, error) {
	t, err := d.Token()
	if err != nil {
		return value{}, err
	}
	if depth > deepest {
		return value{}, errTooDeep
	}
	switch t := t.(type) {
	case bool:
		return value{kind: isBool, truth: t}, nil
	case json.Number:
		return value{kind: isNumber, text: t.String()}, nil
	case string:
		return value{kind: isString, text: t}, nil
	case json.Delim:
		return parseNested(d, t, depth)
	default:
		return value{kind: isNull}, nil
	}
}

func parseNested(d *json.Decoder, open json.Delim, depth int) (value, error) {
	v := value{kind: isArray}
	if open == '{' {
		v.kind = isObject
	}
	for d.More() {
		var m member
		if v.kind == isObject {
			t, err := d.Token()
			if err != nil {
				return value{}, err
			}
			m.name, _ = t.(string)
		}
		inner, err := parseValue(d, depth+1)
		if err != nil {
			return value{}, err
		}
		if v.kind == isArray {
			v.items = append(v.items, inner)
			continue
		}
		m.value = inner
		v.members = append(v.members, m)
	}
	_, err := d.Token() // the closing bracket
	return v, err
}
