package config

import (
	"slices"
	"strings"
	"unicode"
)

// redacted stands for a value that should not have been written into the file, but left in the keyring or the environment.
const redacted = "[redacted]"

// shown returns the value of a header, or of a label in metadata, for people, or blanks it. setting is its whole name.
func shown(setting, value string) string {
	if isSecretSetting(setting) && !isReference(value) {
		return redacted
	}
	return value
}

// isSecretSetting reports whether the value of a header or label is a secret by its name. Labels are named freely: a project_key is
// no key, and a token_budget no token.
func isSecretSetting(setting string) bool {
	before, name := "", setting
	if at := strings.LastIndexByte(setting, '.'); at >= 0 {
		before, name = setting[:at], setting[at+1:]
	}
	if strings.HasSuffix("."+before, ".metadata") {
		return keyLike().MatchString(name) || slices.Contains([]string{"authorization", "cookie", "bearer"}, strings.ToLower(name))
	}
	return isSecretHeader(name)
}

// isSecretHeader reports whether the value of a header of that name is a secret: whether one of the words in it is a secret's,
// and none says that it is something else. What is taken for one in error can still be given by ${VARIABLE}.
func isSecretHeader(name string) bool {
	words := headerWords(name)
	end := ""
	if len(words) > 1 {
		end = words[len(words)-1]
	}
	bounded := slices.Contains([]string{"count", "limit", "budget", "policy", "required", "consent"}, end)
	described := bounded || slices.Contains([]string{"id", "type", "name", "version"}, end)
	for i, word := range words {
		last := i == len(words)-1
		switch {
		case word == "auth":
			if last { // X-Registry-Auth, but not X-Auth-Type
				return true
			}
		case endsInAny(word, "token") || isKeyWord(word):
			plainKey := i > 0 && word == "key" && slices.Contains(plainKeys(), words[i-1])
			if !plainKey && !described {
				return true
			}
		case endsInAny(word, "secret", "password", "passwd", "passphrase", "jwt", "secrets", "passwords"),
			slices.Contains([]string{"authorization", "cookie", "credential", "credentials", "bearer", "pat"}, word):
			if !bounded {
				return true
			}
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
	return []string{"idempotency", "cache", "surrogate", "partition", "routing", "shard", "sort", "public", "correlation", "virtual",
		"project", "team", "tenant", "customer", "issue", "object", "foreign"}
}

func endsInAny(word string, ends ...string) bool {
	return slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(word, end) })
}

// isReference reports whether a header's value names a place for a secret and isn't one itself.
func isReference(value string) bool {
	return strings.HasPrefix(value, "keyring:") || strings.Contains(value, "${")
}

// looksLikeKey reports whether a key of Portkey's stands in the value of a setting, or another credential that its gateway takes in
// place of one. None of their forms is documented, so a key may look otherwise, and is then not recognized.
func looksLikeKey(setting, value string) bool {
	words := strings.FieldsFunc(value, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`,;:="'`, r) })
	return slices.ContainsFunc(words, func(word string) bool { return isKey(word) || isBase64Key(word, holdsIDs(setting)) })
}

// holdsIDs reports whether ids of any system may stand in a setting, and the paths of programs.
func holdsIDs(setting string) bool {
	return strings.Contains("."+setting, ".metadata.") || strings.HasSuffix(setting, "trace_id") || setting == "key_command"
}

// isBase64Key reports whether a word is 21 random bytes in base64. No slug has small letters, capitals and digits at that length;
// ids have, such as those of Firebase's users, so that where they may be it takes a character more that they don't have.
func isBase64Key(word string, beside bool) bool {
	base64 := func(r rune) bool {
		return r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '+' || r == '/')
	}
	of := func(kind func(rune) bool) bool { return strings.ContainsFunc(word, kind) }
	return len(word) == 28 && !of(func(r rune) bool { return !base64(r) }) && of(unicode.IsUpper) && of(unicode.IsLower) && of(unicode.IsDigit) &&
		!strings.HasPrefix(word, "/") && strings.Count(word, "/") < 2 && (!beside || strings.Contains(word, "+"))
}

func isKey(word string) bool {
	switch {
	case strings.HasPrefix(word, "pk-"):
		end := word[strings.LastIndexByte(word, '-')+1:]
		digits := strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return r
			}
			return -1
		}, end)
		return len(end) >= 10 && len(digits) > 1 && len(digits) < len(end)-1 // no word with a number, no number
	case strings.HasPrefix(word, "pat_"): // an access token of the gateway's
		return len(word) >= 20 && strings.ContainsFunc(word, unicode.IsDigit)
	case strings.HasPrefix(word, "eyJ"): // {" in base64: a JWT, which an organisation may use as a key
		return strings.Count(word, ".") == 2
	}
	return false
}
