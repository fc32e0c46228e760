package landing_test

import (
	"cmp"
	"maps"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vippsvending/vipps"
	"github.com/vippsvending/vipps/vending/landing"
)

var argument = regexp.MustCompile(`\{\d\}`)

// TestTexts holds the languages against each other.
func TestTexts(t *testing.T) {
	t.Parallel()
	english := landing.Texts["en"]
	if len(english) < 80 {
		t.Fatalf("%d texts were read", len(english))
	}
	for _, language := range landing.Languages {
		for _, key := range slices.Sorted(maps.Keys(english)) {
			text, ok := landing.Texts[language][key]
			if !ok || text == "" {
				t.Errorf("%s: %s is missing", language, key)
			}
			got, want := argument.FindAllString(text, -1), argument.FindAllString(english[key], -1)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s: %s has the places %v, want %v", language, key, got, want)
			}
		}
		for key := range landing.Texts[language] {
			if _, ok := english[key]; !ok {
				t.Errorf("%s: %s is in no other language", language, key)
			}
		}
	}
}

// TestTextsUsed holds the keys against the templates and the code.
func TestTextsUsed(t *testing.T) {
	t.Parallel()
	var source strings.Builder
	for _, pattern := range []string{"*.go", "templates/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(content)
		}
	}
	code := source.String()
	for key := range landing.Texts["en"] {
		base := strings.TrimSuffix(strings.TrimSuffix(key, ".title"), ".text") // a problem or a story is named by its beginning
		if !strings.Contains(code, `"`+key+`"`) && (base == key || !strings.Contains(code, `"`+base+`"`)) {
			t.Errorf("%s is used nowhere", key)
		}
	}
	for _, call := range regexp.MustCompile(`\.Text "([a-z.]+)"|Text\("([a-z.]+)"[,)]|\bsay\(\d, "[a-z]+", "([a-z.]+)"|\b(?:sum|note)\("([a-z]+)"|"(notice\.[a-z]+)"`).FindAllStringSubmatch(code, -1) {
		if key := cmp.Or(call[1], call[2], call[3], call[4], call[5]); landing.Texts["en"][key] == "" {
			t.Errorf("%s is used and not there", key)
		}
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		language string
		currency vipps.Currency
		value    int64
		want     string
	}{
		{"nb", vipps.NOK, 2500, "25,00 kr"},
		{"da", vipps.DKK, 123456, "1.234,56 kr"},
		{"da", vipps.NOK, 2500, "25,00 NOK"},
		{"sv", vipps.DKK, 5, "0,05 DKK"},
		{"fi", vipps.EUR, 250, "2,50 €"},
		{"sv", vipps.EUR, 123456789, "1 234 567,89 €"},
		{"en", vipps.NOK, 2500, "25.00 NOK"},
		{"en", vipps.EUR, 123456, "€1,234.56"},
		{"en", vipps.EUR, 0, "€0.00"},
		{"nb", vipps.NOK, -2505, "−25,05 kr"},
		{"en", vipps.NOK, math.MaxInt64, "92,233,720,368,547,758.07 NOK"},
	} {
		got := strings.ReplaceAll(landing.FormatOf(test.language, test.currency).Write(test.value), "\u00a0", " ")
		if got != test.want {
			t.Errorf("%d %s in %s: %s, want %s", test.value, test.currency, test.language, got, test.want)
		}
	}
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"":                               "",
		"*":                              "",
		"de":                             "",
		"nb":                             "nb",
		"no-NO":                          "nb",
		"NN, en;q=0.9":                   "nb",
		"en-GB,da;q=0.9":                 "en",
		"en;q=0.5, da;q=0.8, sv;q=0.80":  "da",
		"en;q=0, fi;q=0.001":             "fi",
		"en;q=2, sv;q=x, da;q=0.1":       "da",
		"en;q=1.5;x":                     "",
		" sv ; q=0.3 , de":               "sv",
		"sv;q=0.3,de":                    "sv",
		strings.Repeat("de,", 40) + "en": "",
		strings.Repeat("x", 600) + ",en": "",
	} {
		if got := landing.Accepted(header); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}

func FuzzAccepted(f *testing.F) {
	for _, seed := range []string{"nb-NO,nb;q=0.9,en;q=0.8", ";,;q=", "en;q=0.9999", strings.Repeat("sv,", 100)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if got := landing.Accepted(header); got != "" && !slices.Contains(landing.Languages, got) {
			t.Errorf("%q", got)
		}
	})
}

func FuzzBasket(f *testing.F) {
	f.Add("visit=v&planogram=p&total=2500&slot=A1&price=2500&quantity=1&step=more+A1")
	f.Add("visit=v&slot=A1&slot=A1&price=1&price=1&quantity=1&quantity=1")
	f.Add("visit=v&total=-1")
	f.Add("visit=v&total=99999999999999999999")
	f.Fuzz(func(t *testing.T, body string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		basket, err := landing.ParseBasket(form, form.Get("planogram") != "")
		if err != nil {
			return
		}
		basket.Step(form.Get("step"))
		count, sum := basket.Count()
		if count < 0 || sum < 0 || sum > math.MaxInt64/2 {
			t.Errorf("%d products for %d", count, sum)
		}
		if count > 50 { // is refused before it is asked for
			return
		}
		shown := basket.Shown()
		if len(shown) != count {
			t.Errorf("%d products shown, want %d", len(shown), count)
		}
		for _, product := range shown {
			if product.Price < 0 || product.Slot == "" || len(product.Slot) > 64 {
				t.Errorf("%+v", product)
			}
		}
	})
}

var colour = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6})`)

// TestContrast computes the contrasts of WCAG 2 from the colours in the style sheet, in each of its four sets.
func TestContrast(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("assets/site.css")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`:root[^{]*\{[^}]*\}`).FindAllString(string(css), -1)
	if len(blocks) != 4 {
		t.Fatalf("%d sets of colours, want light, light MobilePay, dark, dark MobilePay", len(blocks))
	}
	for name, cascade := range map[string][]int{"light": {0}, "light MobilePay": {0, 1}, "dark": {0, 2}, "dark MobilePay": {0, 1, 2, 3}} {
		colours := map[string]string{}
		for _, block := range cascade {
			// In the dark the more specific light selector of MobilePay wins over the plain dark one.
			for _, match := range colour.FindAllStringSubmatch(blocks[block], -1) {
				if _, taken := colours[match[1]]; block == 2 && taken && len(cascade) == 4 && colour.MatchString(blocks[1]) && strings.Contains(blocks[1], "--"+match[1]+":") {
					continue
				}
				colours[match[1]] = match[2]
			}
		}
		for _, pair := range []struct {
			text, on string
			least    float64
		}{
			{"ink", "paper", 4.5},
			{"ink", "card", 4.5},
			{"ink", "field", 4.5},
			{"quiet", "paper", 4.5},
			{"quiet", "card", 4.5},
			{"quiet", "field", 4.5},
			{"link", "paper", 4.5},
			{"link", "card", 4.5},
			{"on-accent", "accent", 4.5},
			{"on-accent", "pressed", 4.5},
			{"good", "good-back", 4.5},
			{"bad", "bad-back", 4.5},
			{"edge", "paper", 3},
			{"edge", "card", 3},
			{"ink", "bad-back", 3},
		} {
			if got := contrast(t, colours[pair.text], colours[pair.on]); got < pair.least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %.1f", name, pair.text, pair.on, got, pair.least)
			}
		}
	}
}

func contrast(t *testing.T, one, other string) float64 {
	t.Helper()
	a, b := luminance(t, one), luminance(t, other)
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	value, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatalf("colour %q: %v", hex, err)
	}
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		part := float64(value>>(16-8*i)&0xff) / 255
		if part <= 0.04045 {
			part /= 12.92
		} else {
			part = math.Pow((part+0.055)/1.055, 2.4)
		}
		sum += weight * part
	}
	return sum
}
