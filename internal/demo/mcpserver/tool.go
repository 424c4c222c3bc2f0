package mcpserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
)

// tool is a tool's definition and what it does. Wrong arguments are a result with isError, so that a model can correct
// itself (MCP 2025-11-25, server/tools, error handling).
type tool struct {
	mcp.Tool
	call func(arguments json.RawMessage) *mcp.CallToolResult
}

// newTool makes a tool whose arguments are decoded into an In after they were checked against the input schema that opts
// build.
func newTool[In any](name string, run func(In) *mcp.CallToolResult, opts ...mcp.ToolOption) tool {
	def := mcp.NewTool(name, append(opts,
		mcp.WithSchemaAdditionalProperties(false), mcp.WithOpenWorldHintAnnotation(false))...)
	return tool{def, func(arguments json.RawMessage) *mcp.CallToolResult {
		if err := check(def.InputSchema, arguments); err != nil {
			return mcp.NewToolResultErrorf("Invalid arguments for tool %s: %s", name, err)
		}
		var in In
		if len(arguments) > 0 {
			if err := json.Unmarshal(arguments, &in); err != nil {
				return mcp.NewToolResultErrorf("Invalid arguments for tool %s: %s", name, err)
			}
		}
		return run(in)
	}}
}

// check reports the first argument that the schema doesn't allow. It knows the keywords that the tools of this package use.
func check(schema mcp.ToolInputSchema, arguments json.RawMessage) error {
	args := map[string]any{}
	if a := bytes.TrimSpace(arguments); len(a) > 0 && !bytes.Equal(a, []byte("null")) {
		if err := json.Unmarshal(a, &args); err != nil {
			return fmt.Errorf("the arguments are not an object")
		}
	}
	for _, name := range schema.Required {
		if _, ok := args[name]; !ok {
			return fmt.Errorf("%s is required", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(args)) {
		property, ok := schema.Properties[name].(map[string]any)
		if !ok {
			return fmt.Errorf("%s is not an argument", name)
		}
		if err := checkValue(name, property, args[name]); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(name string, property map[string]any, value any) error {
	wanted, _ := property["type"].(string)
	if !isOf(wanted, value) {
		return fmt.Errorf("%s must be of type %s", name, wanted)
	}
	switch v := value.(type) {
	case string:
		if n, ok := property["minLength"].(int); ok && utf8.RuneCountInString(v) < n {
			return fmt.Errorf("%s is shorter than %d", name, n)
		}
		if allowed, ok := property["enum"].([]string); ok && !slices.Contains(allowed, v) {
			return fmt.Errorf("%s must be one of %q", name, allowed)
		}
	case float64:
		if n, ok := property["minimum"].(int); ok && v < float64(n) {
			return fmt.Errorf("%s is less than %d", name, n)
		}
		if n, ok := property["maximum"].(int); ok && v > float64(n) {
			return fmt.Errorf("%s is more than %d", name, n)
		}
	case map[string]any:
		inner, _ := property["properties"].(map[string]any)
		for _, member := range slices.Sorted(maps.Keys(v)) {
			of, ok := inner[member].(map[string]any)
			if !ok {
				return fmt.Errorf("%s.%s is not an argument", name, member)
			}
			if err := checkValue(name+"."+member, of, v[member]); err != nil {
				return err
			}
		}
	case []any:
		items, _ := property["items"].(map[string]any)
		for i, item := range v {
			if err := checkValue(fmt.Sprintf("%s[%d]", name, i), items, item); err != nil {
				return err
			}
		}
	}
	return nil
}

// isOf reports whether a decoded JSON value is of a JSON Schema type.
func isOf(schemaType string, value any) bool {
	switch v := value.(type) {
	case string:
		return schemaType == "string"
	case float64:
		return schemaType == "number" || schemaType == "integer" && v == math.Trunc(v)
	case bool:
		return schemaType == "boolean"
	case []any:
		return schemaType == "array"
	case map[string]any:
		return schemaType == "object"
	}
	return schemaType == "null"
}
