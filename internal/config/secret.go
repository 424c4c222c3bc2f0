package config

import (
	"slices"
	"strings"
	"unicode"
)

// redacted stands for a value that should not have been written into the file, but left in the keyring or the environment.
const redacted = "[redacted]"

// shownHeader returns the value of a header or label for people, or blanks it.
func shownHeader(name, value string) string {
	if isSecretHeader(name) && !isReference(value) {
		return redacted
	}
	return value
}

// isSecretHeader reports whether the value of a header of that name is a secret: whether one of the words in it is a secret's,
// and none says that it is something else. What is taken for one in error can still be given by ${VARIABLE}.
func isSecretHeader(name string) bool {
	words := headerWords(name)
	for i, word := range words {
		last := i == len(words)-1
		switch {
		case word == "auth":
			if last { // X-Registry-Auth, but not X-Auth-Type
				return true
			}
		case endsInAny(word, "token") || isKeyWord(word):
			plainKey := i > 0 && word == "key" && slices.Contains(plainKeys(), words[i-1])
			described := !last && slices.Contains([]string{"id", "type", "name", "version", "count"}, words[len(words)-1])
			if !plainKey && !described {
				return true
			}
		case endsInAny(word, "secret", "password", "passwd", "passphrase", "jwt", "secrets", "passwords"),
			slices.Contains([]string{"authorization", "cookie", "credential", "credentials", "bearer", "pat"}, word):
			return true
		}
	}
	return false
}

// headerWords splits a name at whatever is no letter or digit, and where a capital follows a small letter.
func headerWords(name string) []string {
	var b strings.Builder
	before := ' '
	for _, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			b.WriteRune(' ')
		case unicode.IsUpper(r) && unicode.IsLower(before):
			b.WriteRune(' ')
			fallthrough
		default:
			b.WriteRune(unicode.ToLower(r))
		}
		before = r
	}
	return strings.Fields(b.String())
}

// isKeyWord reports "key", and words like "apikey". Portkey is none, nor is a monkey.
func isKeyWord(word string) bool {
	kind, ok := strings.CutSuffix(word, "key")
	return ok && slices.Contains([]string{"", "api", "access", "secret", "auth", "private", "app", "application", "client", "user", "master",
		"license", "subscription", "signing", "encryption", "service", "account"}, kind)
}

// plainKeys are the words before "key" that make it one of no lock.
func plainKeys() []string {
	return []string{"idempotency", "cache", "surrogate", "partition", "routing", "shard", "sort", "public", "correlation", "virtual"}
}

func endsInAny(word string, ends ...string) bool {
	return slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(word, end) })
}

// isReference reports whether a header's value names a place for a secret and isn't one itself.
func isReference(value string) bool {
	return strings.HasPrefix(value, "keyring:") || strings.Contains(value, "${")
}

// looksLikeKey reports whether a key of Portkey's stands in text, or another credential that its gateway takes in place of one.
// None of their forms is documented, so a key may look otherwise, and is then not recognized.
func looksLikeKey(text string) bool {
	words := strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`,;:="'`, r) })
	return slices.ContainsFunc(words, isKey)
}

func isKey(word string) bool {
	base64 := func(r rune) bool {
		return r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '+' || r == '/')
	}
	of := func(kind func(rune) bool) bool { return strings.ContainsFunc(word, kind) }
	other := func(r rune) bool { return !base64(r) }
	switch {
	case len(word) == 28: // 21 random bytes in base64; no slug or id has small letters, capitals and digits at that length
		return !of(other) && !strings.HasPrefix(word, "/") && of(unicode.IsUpper) && of(unicode.IsLower) && of(unicode.IsDigit)
	case strings.HasPrefix(word, "pk-"):
		end := word[strings.LastIndexByte(word, '-')+1:]
		return len(end) >= 10 && strings.ContainsFunc(end, unicode.IsDigit)
	case strings.HasPrefix(word, "pat_"): // an access token of the gateway's
		return len(word) >= 20
	case strings.HasPrefix(word, "eyJ"): // {" in base64: a JWT, which an organisation may use as a key
		return strings.Count(word, ".") == 2
	}
	return false
}
