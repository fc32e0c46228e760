package sqlstore

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/vippsvending/vipps/vending"
)

// KeyID is the name of a key in the database and in errors. It says nothing about the key.
func KeyID(key []byte) string {
	sum := sha256.Sum256(append([]byte("vipps vending sqlstore key\x00"), key...))
	return hex.EncodeToString(sum[:8])
}

// keyring seals with its first key and opens with all.
type keyring struct {
	ids     []string
	ciphers map[string]cipher.AEAD
}

func newKeyring(keys [][]byte) (*keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("Keys: at least one is required, 32 random bytes, the same for every process and after every restart: what is sealed cannot be read without it")
	}
	k := &keyring{ciphers: map[string]cipher.AEAD{}}
	for i, key := range keys {
		if len(key) != 32 {
			return nil, fmt.Errorf("Keys[%d]: has %d bytes, must have 32%s", i, len(key), advice(key))
		}
		if bytes.Count(key, key[:1]) == len(key) {
			return nil, fmt.Errorf("Keys[%d]: is the same byte 32 times, must be random", i)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		id := KeyID(key)
		if k.ciphers[id], err = cipher.NewGCMWithRandomNonce(block); err != nil {
			return nil, err
		}
		k.ids = append(k.ids, id)
	}
	return k, nil
}

// advice is for a key that was given as text.
func advice(key []byte) string {
	if _, err := hex.DecodeString(string(key)); err != nil || len(key) != 64 {
		return ""
	}
	return "; decode hexadecimal with encoding/hex"
}

// box is one sealed value: the key that it is sealed with, and nonce and ciphertext.
type box struct {
	Key  string `json:"key"`
	Data []byte `json:"data"`
}

// about binds a sealed value to its place, so that it cannot be moved to another session or field.
func about(id, field string) []byte { return []byte(id + "\x00" + field) }

// seal takes the sealed values out of a session and gives them encrypted, as one text; empty if there are none.
func (k *keyring) seal(s *vending.Session) (string, error) {
	boxes := map[string]box{}
	eachSealed(reflect.ValueOf(s).Elem(), "", func(field string, value *vending.Sealed) {
		if content := value.Open(); content != nil {
			boxes[field] = box{k.ids[0], k.ciphers[k.ids[0]].Seal(nil, nil, content, about(s.ID, field))}
		}
		*value = vending.Sealed{}
	})
	if len(boxes) == 0 {
		return "", nil
	}
	text, err := json.Marshal(boxes)
	return string(text), err
}

// open puts the sealed values back into a session.
func (k *keyring) open(s *vending.Session, text []byte) error {
	if len(text) == 0 {
		return nil
	}
	var boxes map[string]box
	if err := json.Unmarshal(text, &boxes); err != nil {
		return fmt.Errorf("%w: its sealed values: %w", ErrCorrupt, err)
	}
	var problems []error
	eachSealed(reflect.ValueOf(s).Elem(), "", func(field string, value *vending.Sealed) {
		sealed, ok := boxes[field]
		if !ok {
			return
		}
		delete(boxes, field)
		aead, ok := k.ciphers[sealed.Key]
		if !ok {
			problems = append(problems, fmt.Errorf("%s: %w: it was sealed with key %s, and Keys has %s; add that key to Keys", field, ErrKey, sealed.Key, strings.Join(k.ids, ", ")))
			return
		}
		content, err := aead.Open(nil, nil, sealed.Data, about(s.ID, field))
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w: it was sealed with key %s, which is there, and has been changed or moved since", field, ErrCorrupt, sealed.Key))
			return
		}
		*value = vending.Seal(content)
	})
	for field := range boxes {
		problems = append(problems, fmt.Errorf("%s: %w: a sealed value that the session has no place for", field, ErrCorrupt))
	}
	return errors.Join(problems...)
}

var sealedType = reflect.TypeFor[vending.Sealed]()

// eachSealed visits every sealed value in what v holds. What v shares with others is copied first.
func eachSealed(v reflect.Value, name string, visit func(name string, value *vending.Sealed)) {
	switch {
	case v.Type() == sealedType:
		value, _ := v.Addr().Interface().(*vending.Sealed)
		visit(name, value)
	case !holders[v.Type()]:
	case v.Kind() == reflect.Struct:
		for field, value := range v.Fields() {
			eachSealed(value, strings.TrimPrefix(name+"."+field.Name, "."), visit)
		}
	case v.Kind() == reflect.Slice:
		if !v.IsNil() {
			shared := v.Slice(0, v.Len())
			v.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			reflect.Copy(v, shared)
		}
		for i := range v.Len() {
			eachSealed(v.Index(i), fmt.Sprintf("%s[%d]", name, i), visit)
		}
	}
}

// holders are the types within a session that are, or have fields or elements that are, sealed values.
var holders = holdersIn(reflect.TypeFor[vending.Session](), map[reflect.Type]bool{})

func holdersIn(t reflect.Type, found map[reflect.Type]bool) map[reflect.Type]bool {
	if _, seen := found[t]; seen {
		return found
	}
	found[t] = t == sealedType
	switch {
	case t == sealedType:
	case t.Kind() == reflect.Slice:
		found[t] = holdersIn(t.Elem(), found)[t.Elem()]
	case t.Kind() == reflect.Struct:
		for field := range t.Fields() {
			if field.IsExported() && holdersIn(field.Type, found)[field.Type] {
				found[t] = true
			}
		}
	}
	return found
}
