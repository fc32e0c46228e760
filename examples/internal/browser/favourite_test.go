package browser

import "testing"

func TestFavourite(t *testing.T) {
	t.Parallel()
	for says, want := range map[string]string{"en": "en", "nn-NO, en;q=0.5": "nn-NO", "fi;q=0.8, en": "fi", " da-DK ;q=1": "da-DK"} {
		if got := favourite(says); got != want {
			t.Errorf("%q: %q, want %q", says, got, want)
		}
	}
}
