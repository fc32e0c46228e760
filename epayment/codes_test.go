package epayment_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCodes compares the constants with the numbers that the API documents.
func TestCodes(t *testing.T) {
	t.Parallel()
	want := strings.Fields(`3010
		4010 4020 4040 4050 4060 4070 4080 4090 4100 4110 4120 4130 4140 4150 4160
		5010 5020 5030 5040 5050 5060 5070 5080 5090 5100
		6010 6020 6030 6040 6050 6060 6070 6080 6090 6100 6110 6120 6130 6140 6150 6160 6170 6180 6190 6200 6210 6220 6230 6250 6260 6280
		7010
		10010 10020 10030 10040 10050 10060 10070`)
	file, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			t.Fatalf("%s is no literal", spec.Names[0])
		}
		code, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, code)
		if name := spec.Names[0].Name; !strings.HasPrefix(name, "Code") || !strings.HasPrefix(spec.Doc.Text(), name+" ") {
			t.Errorf("%s has no advice", name)
		}
		return true
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	slices.Sort(got)
	if len(slices.Compact(got)) != len(want) {
		t.Error("a code has two names")
	}
}
