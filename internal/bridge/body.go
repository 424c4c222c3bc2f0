package bridge

import (
	"compress/gzip"
	"fmt"
	"io"
	"mime"
	"net/http"
)

func isStream(resp *http.Response) bool {
	t, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return resp.StatusCode == http.StatusOK && t == "text/event-stream"
}

// decode undoes a Content-Encoding that wasn't asked for; some proxies compress all the same.
func decode(resp *http.Response) error {
	switch enc := resp.Header.Get("Content-Encoding"); enc {
	case "", "identity":
		return nil
	case "gzip":
		resp.Body = &gunzip{body: resp.Body}
		resp.ContentLength = -1
		return nil
	default:
		resp.Body.Close()
		return fmt.Errorf("the answer is encoded as %.20q, which nobody asked for", enc)
	}
}

// gunzip decompresses body; it begins at the first read, since the header may come late.
type gunzip struct {
	body io.ReadCloser
	zip  *gzip.Reader
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.zip == nil {
		zip, err := gzip.NewReader(g.body)
		if err != nil {
			return 0, err
		}
		g.zip = zip
	}
	return g.zip.Read(p)
}

func (g *gunzip) Close() error { return g.body.Close() }
