package landing

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed texts
var textFiles embed.FS

// texts has what the pages say, by language and key.
var texts = readTexts()

// readTexts reads the files of the package: lines of "key = text".
func readTexts() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, language := range languages {
		file, err := textFiles.ReadFile("texts/" + language + ".txt")
		if err != nil {
			panic(err) // the package was built without its texts
		}
		all[language] = map[string]string{}
		for line := range strings.Lines(string(file)) {
			if key, text, ok := strings.Cut(line, " = "); ok && !strings.HasPrefix(line, "#") {
				all[language][key] = strings.TrimSpace(text)
			}
		}
	}
	return all
}

// text is one text in one language, with the arguments in the places of {1} and {2}. A key that there is not stays visible.
func text(language, key string, args ...any) string {
	words, ok := texts[language][key]
	if !ok {
		return key
	}
	pairs := make([]string, 0, 2*len(args))
	for i, arg := range args {
		pairs = append(pairs, fmt.Sprintf("{%d}", i+1), fmt.Sprint(arg))
	}
	return strings.NewReplacer(pairs...).Replace(words)
}
