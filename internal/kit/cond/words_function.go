package cond

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// functionWords documents what stands alone: our own functions, declared below, and those of
// CEL that are let in. The first part of a name stands for any value of its type.
func functionWords() []word {
	of := func(name string, t Type, en, zh, eg string, args ...Param) word {
		return word{name: name, typ: t, en: en, zh: zh, eg: eg, args: args}
	}
	n, s := Param{Type: Whole, EN: "number", ZH: "数"}, Param{Type: Text, EN: "text", ZH: "文本"}
	each := []Param{{Type: Text, EN: "a name for one of them", ZH: "每一项的代称"}, {Type: YesNo, EN: "condition", ZH: "条件"}}
	return []word{
		of("money", Money, "An amount of money, written with decimals", "金额，用小数书写", `sale.total >= money("12.50")`, Param{Type: Text, EN: "amount", ZH: "金额"}),
		of("min", Whole, "The lesser of two", "两数中较小者", `min(member.age, 60) == 60`, n, n),
		of("max", Whole, "The greater of two", "两数中较大者", `max(now.day, now.month) > 11`, n, n),
		of("int", Whole, "The whole part of a number with decimals", "小数的整数部分", `int(2.5) == 2`, Param{Type: Number, EN: "number", ZH: "数"}),
		of("double", Number, "A whole number as one with decimals", "整数转为小数", `double(now.day) * 1.5 > 10.0`, n),
		of("text.contains", YesNo, "Contains a text", "包含文本", `member.source.contains("we")`, s),
		of("text.startsWith", YesNo, "Begins with a text", "以文本开头", `member.city.startsWith("31")`, s),
		of("text.endsWith", YesNo, "Ends with a text", "以文本结尾", `member.number.endsWith("8")`, s),
		of("size", Whole, "How many characters of a text, or things of a list", "文本的字符数或列表的项数", `size(member.tags) > 0`, s),
		of("list.exists", YesNo, "The condition holds for at least one of a list", "列表中至少一项满足", `sale.lines.exists(l, l.category == "coffee")`, each...),
		of("list.all", YesNo, "The condition holds for all of a list", "列表中每一项都满足", `sale.lines.all(l, l.amount > 0)`, each...),
		of("list.exists_one", YesNo, "The condition holds for exactly one of a list", "列表中恰有一项满足", `sale.lines.exists_one(l, l.sku == "A-100")`, each...),
		of("list.filter", Lines, "Those of a list for which the condition holds", "列表中满足条件的各项", `size(sale.lines.filter(l, l.brand == "ACME")) >= 2`, each...),
		of("list.map", Lines, "Something of each of a list", "取列表每一项的某值", `sale.lines.map(l, l.amount).sum() >= money("50")`, each...),
		of("list.sum", Whole, "The sum of a list of numbers", "数列之和", `sale.lines.filter(l, l.brand == "ACME").map(l, l.amount).sum() >= money("50")`),
	}
}

// library is the part of CEL that is let in. What is left out is what could fail on good
// facts (an index into a list), what SQL cannot follow (regular expressions), and what no
// condition of ours has types for (bytes, durations).
func library() cel.EnvOption {
	subset := env.NewLibrarySubset().AddIncludedMacros("exists", "all", "exists_one", "existsOne", "filter", "map")
	let := func(name string, overloads ...string) {
		f := env.NewFunction(name)
		for _, id := range overloads {
			f.Overloads = append(f.Overloads, env.NewOverload(id, nil, nil))
		}
		subset.AddIncludedFunctions(f)
	}
	for _, name := range []string{"_?_:_", "_&&_", "_||_", "!_", "@not_strictly_false", "_==_", "_!=_"} {
		let(name)
	}
	let("_+_", "add_int64", "add_double", "add_list")
	let("_-_", "subtract_int64", "subtract_double")
	let("_*_", "multiply_int64", "multiply_double")
	let("_/_", "divide_int64", "divide_double")
	let("_%_", "modulo_int64")
	let("-_", "negate_int64", "negate_double")
	for op, id := range map[string]string{"_<_": "less_", "_<=_": "less_equals_", "_>_": "greater_", "_>=_": "greater_equals_"} {
		let(op, id+"int64", id+"int64_double", id+"double", id+"double_int64", id+"string")
	}
	let("@in", "in_list")
	let("size", "size_string", "size_list")
	let("contains", "contains_string")
	let("startsWith", "starts_with_string")
	let("endsWith", "ends_with_string")
	let("int", "double_to_int64")
	let("double", "int64_to_double")
	return cel.StdLib(cel.StdLibSubset(subset))
}

// ownFunctions declares our functions that are not of an object.
func ownFunctions(decimals int) []cel.EnvOption {
	lesser := func(a, b ref.Val) ref.Val { return min(a.(types.Int), b.(types.Int)) }
	greater := func(a, b ref.Val) ref.Val { return max(a.(types.Int), b.(types.Int)) }
	two := []*cel.Type{cel.IntType, cel.IntType}
	return []cel.EnvOption{
		cel.Function("money", cel.Overload("money_text", []*cel.Type{cel.StringType}, cel.IntType,
			cel.UnaryBinding(func(v ref.Val) ref.Val {
				n, _ := parseMoney(string(v.(types.String)), decimals) // Compile has refused what is no amount
				return types.Int(n)
			}))),
		cel.Function("min", cel.Overload("min_whole", two, cel.IntType, cel.BinaryBinding(lesser))),
		cel.Function("max", cel.Overload("max_whole", two, cel.IntType, cel.BinaryBinding(greater))),
		cel.Function("sum", cel.MemberOverload("sum_wholes", []*cel.Type{cel.ListType(cel.IntType)}, cel.IntType, cel.UnaryBinding(sum))),
	}
}

// sum adds up a list of whole numbers.
func sum(v ref.Val) ref.Val {
	total := ref.Val(types.Int(0))
	for it := v.(traits.Lister).Iterator(); it.HasNext() == types.True; {
		total = total.(traits.Adder).Add(it.Next())
		if types.IsError(total) {
			return total
		}
	}
	return total
}
