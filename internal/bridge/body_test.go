package bridge

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// TestAnswerBody: however a body arrives, and whatever blanks are around its message, the message is the same.
func TestAnswerBody(t *testing.T) {
	const message = `{"jsonrpc":"2.0","id":1,"result":{"a":"ü"}}`
	for name, body := range map[string]string{
		"alone": message, "line ends": "\r\n" + message + "\r\n", "byte order mark": " \n\ufeff \n" + message + "\n\n",
	} {
		for pieces, reader := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "the end with data": iotest.DataErrReader,
		} {
			for _, size := range []int64{-1, int64(len(body))} {
				a := answerBody{memory: &buffers{}, size: size}
				err := a.read(reader(strings.NewReader(body)))
				m, parseErr := a.message()
				if err != nil || parseErr != nil || string(m.raw) != message || string(m.id) != "1" || m.broken {
					t.Errorf("%s, %s: %q, %v, %v", name, pieces, m.raw, err, parseErr)
				}
			}
		}
	}
}

// TestAnswerBodyCutOff: blanks at the end of a body don't belong to its message, even if it ends inside a string.
func TestAnswerBodyCutOff(t *testing.T) {
	a := answerBody{memory: &buffers{}, size: -1}
	if err := a.read(strings.NewReader(`{"a":"x  `)); err != nil {
		t.Fatal(err)
	}
	if m, err := a.message(); err == nil || string(m.raw) != `{"a":"x` {
		t.Errorf("%q, %v", m.raw, err)
	}
}

func TestAnswerBodyTooLong(t *testing.T) {
	a := answerBody{memory: &buffers{}, size: maxMessage + 1}
	if err := a.read(strings.NewReader("{}")); !errors.Is(err, errTooLong) {
		t.Errorf("announced: %v", err)
	}
	a = answerBody{memory: &buffers{}, size: -1}
	if err := a.read(io.MultiReader(strings.NewReader(`{"a":"`), endless{})); !errors.Is(err, errTooLong) {
		t.Errorf("not announced: %v", err)
	}
	a.free()
	a = answerBody{memory: &buffers{}, size: -1}
	if err := a.read(io.LimitReader(endless{}, maxMessage)); err != nil {
		t.Errorf("as long as may be: %v", err)
	}
	a.free()
}

// endless is a body without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
