package config

import "go.yaml.in/yaml/v3"

// member is a name of a mapping with its value, which is no alias.
type member struct{ key, value *yaml.Node }

// members returns what a mapping holds, its own members and then those that it merges in and doesn't have itself
// (https://yaml.org/type/merge.html). What is no mapping has none.
func members(mapping *yaml.Node) []member {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	var all []member
	names, merged := map[string]bool{}, map[*yaml.Node]bool{}
	var merge func(*yaml.Node)
	merge = func(n *yaml.Node) {
		if n = follow(n); merged[n] { // nothing new, or the mapping that it is a part of
			return
		}
		merged[n] = true
		if n.Kind == yaml.SequenceNode {
			for _, inner := range n.Content {
				merge(inner)
			}
		}
		if n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i < len(n.Content); i += 2 {
			if key := n.Content[i]; !isMerge(key) && !names[key.Value] {
				names[key.Value] = true
				all = append(all, member{key, follow(n.Content[i+1])})
			}
		}
		for i := 0; i < len(n.Content); i += 2 {
			if isMerge(n.Content[i]) {
				merge(n.Content[i+1])
			}
		}
	}
	merge(mapping)
	return all
}

func isMerge(key *yaml.Node) bool { return key.Tag == "!!merge" }

// child returns the value of a key in a mapping, or nil where it isn't set.
func child(mapping *yaml.Node, key string) *yaml.Node {
	for _, m := range members(mapping) {
		if m.key.Value == key && !isNull(m.value) {
			return m.value
		}
	}
	return nil
}

// index returns where in a mapping's content the value of key is, or -1. What the mapping merges in isn't among it.
func index(mapping *yaml.Node, key string) int {
	for i := 0; i < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return i + 1
		}
	}
	return -1
}

func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }
