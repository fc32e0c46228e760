package examples_test

import (
	"testing"

	"github.com/vippsvending/vipps/examples/internal/browser"
)

// A sale in each of the five languages, as the browser asks for it, with a way to another one.
func TestBrowserLanguages(t *testing.T) {
	t.Parallel()
	for language, words := range map[string]struct{ asks, heading, more, pay, total, thanks, charged string }{
		"nb": {"nn-NO, en;q=0.5", "Velg hva du vil ha", "Én til: Cola", "Betal med Vipps", "25,00 kr", "Takk!", "Trukket 25,00 kr"},
		"da": {"da-DK", "Vælg, hvad du vil have", "Én mere: Cola", "Betal med Vipps", "25,00 NOK", "Tak!", "Trukket 25,00 NOK"},
		"fi": {"fi-FI", "Valitse tuotteet", "Yksi lisää: Cola", "Maksa Vipps-sovelluksella", "25,00 NOK", "Kiitos!", "Veloitettu 25,00 NOK"},
		"sv": {"sv-SE", "Välj vad du vill ha", "En till: Cola", "Betala med Vipps", "25,00 NOK", "Tack!", "Debiterat 25,00 NOK"},
		"en": {"de, en-GB;q=0.9, nb;q=0.1", "Choose what you want", "One more: Cola", "Pay with Vipps", "25.00 NOK", "Thank you!", "Charged 25.00 NOK"},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			s := openShop(t, browser.Options{Language: words.asks}, nil)
			p := s.visit("/m/" + selecting)
			p.WaitText(words.heading)
			p.Click("button", words.more)
			p.WaitText(words.total)
			s.speaks(p, language)
			p.Click("button", words.pay)
			p.Click("button", approve)
			p.WaitText(words.thanks, words.charged)
			s.speaks(p, language)
			s.atRest(1, 2500, 0)
			p.Click("link", "Suomi")
			p.WaitText("Kiitos!")
			s.speaks(p, "fi")
			p.Open(s.address + "/m/" + selecting)
			p.WaitText("Valitse tuotteet") // the choice is remembered
		})
	}
}

// speaks checks what a screen reader needs to read the page, and looks at it.
func (s *shop) speaks(p *browser.Page, language string) {
	s.Helper()
	if lang := browser.Eval[string](p, `document.documentElement.lang`); lang != language {
		s.Errorf("the page is in %q, want %q", lang, language)
	}
	s.accessible(p, language)
}
