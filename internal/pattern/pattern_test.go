package pattern

import "testing"

func TestNew(t *testing.T) {
	bad := New("(") // says nothing before it is used
	word := New(`^\w+$`)
	if word() != word() || !word().MatchString("word") || word().MatchString("two words") {
		t.Error("not what it was made of, or made twice")
	}
	defer func() {
		if recover() == nil {
			t.Error("a broken expression passes")
		}
	}()
	bad()
}
