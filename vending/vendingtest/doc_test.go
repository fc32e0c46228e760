package vendingtest_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending"
	"github.com/vippsvending/vipps/vending/vendingtest"
	"github.com/vippsvending/vipps/vending/vippstest"
)

func TestJam(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := vippstest.Start(t, vippstest.Options{})
		client, err := vipps.NewClient(vipps.Config{
			Environment: vipps.Test,
			Credentials: vipps.Credentials(world.Credentials()),
			System:      vipps.System{Name: "acme-vend", Version: "1.0.0"},
			BaseURL:     world.URL(),
			HTTPClient:  &http.Client{Transport: world.Transport()},
		})
		if err != nil {
			t.Fatal(err)
		}
		machine := new(vendingtest.Machine)
		machine.Script(vendingtest.Jam)
		operator, err := vending.NewOperator(vending.Config{Client: client, Machine: machine, Currency: vipps.NOK, TermsAcceptedElsewhere: true})
		if err != nil {
			t.Fatal(err)
		}
		session, err := operator.SellDynamicQR(t.Context(), vending.DynamicQROrder{
			Machine: "oslo12", Products: []vending.Product{{Name: "Cola", Slot: "A1", Price: 2500}},
		}, func(code vending.Code) {
			if err := world.Approve(code.Session); err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if session.Outcome.Result != vending.NotSold || session.Outcome.Released != 2500 || machine.Dropped("A1") != 0 {
			t.Error(session.Summary())
		}
	})
}

// TestDoc keeps the test in the package comment the one that runs.
func TestDoc(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(source)
	}
	_, rest, _ := strings.Cut(read("doc_test.go"), "\nfunc TestJam")
	body, _, ok := strings.Cut(rest, "\n}\n")
	if !ok {
		t.Fatal("no test")
	}
	var want strings.Builder
	for line := range strings.Lines("func TestJam" + body + "\n}\n") {
		want.WriteString("//\t" + line)
	}
	if !strings.Contains(read("doc.go"), want.String()) {
		t.Errorf("the test in the package comment is not the one that runs:\n%s", want.String())
	}
}
