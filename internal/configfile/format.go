package configfile

// Format is what the program that owns the file is known to read: one of the four syntaxes, and what it doesn't take
// beyond that: JSONC | NoTrailingComma.
type Format int

const (
	// JSONC is JSON with comments and trailing commas.
	JSONC Format = iota
	// JSON is RFC 8259 and nothing more.
	JSON
	// TOML is version 1.0 of toml.io.
	TOML
	// YAML is what libyaml reads of 1.1 and 1.2.
	YAML

	// NoTrailingComma is a reader of comments that refuses a comma after the last member or element.
	NoTrailingComma Format = 1 << 8
	// NoBOM is a reader that refuses a byte order mark.
	NoBOM Format = 1 << 9
)

// syntax returns f without what the reader doesn't take.
func (f Format) syntax() Format { return f &^ (NoTrailingComma | NoBOM) }

// String returns the name that people know the syntax by.
func (f Format) String() string {
	switch f.syntax() {
	case TOML:
		return "TOML"
	case YAML:
		return "YAML"
	}
	return "JSON"
}
