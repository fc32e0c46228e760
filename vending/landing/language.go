package landing

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// languages are those that there are texts in, in the order in which they are offered.
var languages = []string{"nb", "da", "fi", "sv", "en"}

func isLanguage(code string) bool { return slices.Contains(languages, code) }

const languageCookie = "vending-language"

// keepLanguage keeps the language that the customer has asked for with a link.
func (s *Site) keepLanguage(w http.ResponseWriter, r *http.Request) {
	if code := r.URL.Query().Get("lang"); isLanguage(code) {
		http.SetCookie(w, &http.Cookie{
			Name: languageCookie, Value: code, Path: s.config.Path + "/", MaxAge: 365 * 24 * 3600,
			Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
	}
}

// inLanguage is an address of this site in the language that the customer has asked for.
func inLanguage(r *http.Request, address string) string {
	if code := r.URL.Query().Get("lang"); isLanguage(code) {
		return address + "?lang=" + code
	}
	return address
}

// language is the one to answer in: what the customer chose, what the browser prefers, or the machine's.
func (s *Site) language(r *http.Request, machine Machine) string {
	if code := r.URL.Query().Get("lang"); isLanguage(code) {
		return code
	}
	if chosen, err := r.Cookie(languageCookie); err == nil && isLanguage(chosen.Value) {
		return chosen.Value
	}
	fallback := s.config.Language
	if isLanguage(machine.Language) {
		fallback = machine.Language
	}
	return cmp.Or(accepted(r.Header.Get("Accept-Language")), fallback)
}

// accepted is the language of ours that a browser likes best; empty if it likes none.
func accepted(header string) string {
	const maxLength, maxRanges = 512, 32
	best, weight := "", 0
	for i, part := range strings.Split(header[:min(len(header), maxLength)], ",") {
		if i == maxRanges {
			break
		}
		tag, parameter, _ := strings.Cut(part, ";")
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		if primary == "no" || primary == "nn" {
			primary = "nb"
		}
		if w := quality(parameter); isLanguage(primary) && w > weight {
			best, weight = primary, w
		}
	}
	return best
}

// quality is the weight of a range in thousandths: 1000 without one, 0 for one that cannot be read.
func quality(parameter string) int {
	parameter = strings.TrimSpace(parameter)
	if parameter == "" {
		return 1000
	}
	value, ok := strings.CutPrefix(parameter, "q=")
	if !ok {
		return 0
	}
	whole, decimals, _ := strings.Cut(value, ".")
	if len(decimals) > 3 || whole != "0" && whole != "1" {
		return 0
	}
	n, err := strconv.ParseUint(whole+(decimals + "000")[:3], 10, 16)
	if err != nil {
		return 0
	}
	return min(int(n), 1000)
}
