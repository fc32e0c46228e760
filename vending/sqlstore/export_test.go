package sqlstore

import "context"

// Texts are the statements that look for sessions, as the database gets them.
func (s *Store) Texts() map[string]string {
	texts := map[string]string{}
	for name, text := range map[string]string{
		"load": loadText, "seat": seatText, "holder": holderText, "due": dueText, "wake": wakeText, "wake many": wakeManyText, "rest": restText,
		"update": updateText, "open": openText, "closed": closedText, "prune": pruneText,
	} {
		texts[name], _ = s.say(text)
	}
	return texts
}

// Write does something in its turn, as if it changed the database.
func (s *Store) Write(ctx context.Context, do func()) error {
	return s.write(ctx, func(context.Context, place) error {
		do()
		return nil
	})
}
