#!/usr/bin/env bash
# Writes a file of N made-up members for `patron import members`, the same every time:
#
#   scripts/members-csv.sh 1000000 > members.csv
#
# Numbers begin with 12, a range that no operator has, so they can reach nobody.
set -euo pipefail
exec awk -v n="${1:?how many members}" 'BEGIN {
	split("王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗", family, " ")
	split("伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 秀 霞 平 刚 桂 华 文 辉 玲 宇 晨 佳 雪", given, " ")
	split("上海 北京 广州 深圳 杭州 成都 武汉 南京 西安 重庆", city, " ")
	print "external_id,phone,name,gender,birthday,city,joined_at"
	x = 12345
	for (i = 1; i <= n; i++) {
		x = (x * 1103515245 + 12345) % 2147483648
		y = int(x / 65536)
		name = family[1 + y % 20] given[1 + int(y / 20) % 30]
		if (y % 3) name = name given[1 + int(y / 600) % 30]
		printf "%d,+8612%09d,%s,%s,%d-%02d-%02d,%s,20%02d-%02d-%02d\n", i, i, name,
			y % 2 ? "female" : "male", 1950 + y % 55, 1 + y % 12, 1 + y % 28, city[1 + y % 10],
			15 + y % 10, 1 + y % 12, 1 + y % 28
	}
}'
