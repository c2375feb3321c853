package demo

import (
	"context"
	"fmt"

	"github.com/patron-loyalty/patron/internal/catalog"
)

// category is a node of the demo's tree; a slug with a slash lies under another.
type category struct{ path, en, zh string }

var categories = []category{
	{"tea", "Tea", "茶饮"}, {"tea/pure", "Pure tea", "纯茶"}, {"tea/milk", "Milk tea", "奶茶"}, {"tea/fruit", "Fruit tea", "果茶"}, {"tea/cold", "Cold brew", "冷萃"},
	{"coffee", "Coffee", "咖啡"},
	{"bakery", "Bakery", "烘焙"}, {"bakery/bread", "Bread", "面包"}, {"bakery/cake", "Cake", "蛋糕"}, {"bakery/pastry", "Pastry", "中式点心"},
	{"goods", "Goods", "礼品"}, {"goods/leaf", "Tea leaves", "茶叶"}, {"goods/ware", "Tea ware", "茶具"}, {"goods/cards", "Gift cards", "礼品卡"},
}

// season is when a product is sold.
type season int

const (
	always   season = iota
	summer          // May to September
	winter          // November to February
	mooncake        // the six weeks before Mid-Autumn
)

// product is one thing on the menu. Price and cost are in yuan and fen.
type product struct {
	sku, path, en, zh string
	price, cost       int64 // fen
	weight            int   // how often it is chosen
	season            season
}

// menu is what the shop sells.
var menu = []product{
	{"T101", "tea/pure", "Longjing", "明前龙井", 2800, 780, 8, always},
	{"T102", "tea/pure", "Tieguanyin", "铁观音", 2400, 620, 7, always},
	{"T103", "tea/pure", "Da Hong Pao", "大红袍", 3200, 940, 5, always},
	{"T104", "tea/pure", "Jasmine Silver Needle", "茉莉银针", 2200, 560, 9, always},
	{"T105", "tea/pure", "Aged Pu'er", "陈年普洱", 2600, 700, 5, always},
	{"T106", "tea/pure", "White Peony", "白牡丹", 2600, 690, 4, always},
	{"T107", "tea/pure", "Osmanthus Oolong", "桂花乌龙", 2300, 590, 8, always},
	{"T108", "tea/pure", "Chrysanthemum Pu'er", "菊普", 2000, 480, 4, always},
	{"T201", "tea/milk", "Classic Milk Tea", "经典奶茶", 1600, 420, 14, always},
	{"T202", "tea/milk", "Brown Sugar Pearl Milk Tea", "黑糖珍珠奶茶", 1900, 520, 15, always},
	{"T203", "tea/milk", "Jasmine Milk Green", "茉莉奶绿", 1700, 440, 13, always},
	{"T204", "tea/milk", "Roasted Oolong Latte", "炭焙乌龙拿铁", 2100, 560, 9, always},
	{"T205", "tea/milk", "Taro Milk", "芋泥牛乳", 2200, 610, 10, always},
	{"T206", "tea/milk", "Fermented Rice Milk Tea", "酒酿奶茶", 2000, 530, 5, winter},
	{"T207", "tea/milk", "Red Date Ginger Milk Tea", "红枣姜奶茶", 1900, 500, 7, winter},
	{"T208", "tea/milk", "Cheese Cream Black Tea", "芝士红茶", 2300, 640, 8, always},
	{"T301", "tea/fruit", "Grapefruit Green", "满杯西柚", 2400, 720, 10, always},
	{"T302", "tea/fruit", "Lemon Black", "手打柠檬茶", 1800, 430, 14, always},
	{"T303", "tea/fruit", "Mango Sago", "杨枝甘露", 2600, 820, 12, summer},
	{"T304", "tea/fruit", "Lychee Oolong", "荔枝乌龙", 2500, 790, 9, summer},
	{"T305", "tea/fruit", "White Peach Oolong", "白桃乌龙", 2300, 680, 10, summer},
	{"T306", "tea/fruit", "Green Grape", "多肉青提", 2700, 880, 11, summer},
	{"T307", "tea/fruit", "Hawthorn Apple", "山楂苹果热饮", 2100, 560, 6, winter},
	{"T308", "tea/fruit", "Passion Fruit", "百香果双响", 2000, 540, 8, always},
	{"T401", "tea/cold", "Cold Brew Jasmine", "冷萃茉莉", 1900, 420, 9, summer},
	{"T402", "tea/cold", "Cold Brew Oolong", "冷萃乌龙", 1900, 430, 8, summer},
	{"T403", "tea/cold", "Sparkling Plum", "气泡乌梅", 2000, 480, 6, summer},
	{"C101", "coffee", "Americano", "美式咖啡", 1800, 360, 12, always},
	{"C102", "coffee", "Latte", "拿铁", 2400, 620, 13, always},
	{"C103", "coffee", "Coconut Latte", "生椰拿铁", 2600, 720, 12, always},
	{"C104", "coffee", "Osmanthus Latte", "桂花拿铁", 2600, 690, 7, always},
	{"C105", "coffee", "Pour-over Yunnan", "云南手冲", 3200, 900, 4, always},
	{"C106", "coffee", "Iced Orange Americano", "橙C美式", 2300, 600, 7, summer},
	{"B101", "bakery/bread", "Sea Salt Roll", "海盐卷", 800, 230, 16, always},
	{"B102", "bakery/bread", "Milk Toast", "牛乳吐司", 2200, 690, 9, always},
	{"B103", "bakery/bread", "Walnut Sourdough", "核桃欧包", 2600, 860, 5, always},
	{"B104", "bakery/bread", "Pork Floss Bun", "肉松小贝", 1200, 390, 14, always},
	{"B105", "bakery/bread", "Red Bean Bun", "红豆面包", 1000, 290, 9, always},
	{"B106", "bakery/bread", "Garlic Cheese Bread", "蒜香芝士包", 1600, 480, 7, always},
	{"B107", "bakery/bread", "Croissant", "可颂", 1400, 430, 11, always},
	{"B201", "bakery/cake", "Basque Cheesecake", "巴斯克芝士", 3200, 1080, 8, always},
	{"B202", "bakery/cake", "Matcha Mille Crepe", "抹茶千层", 3400, 1150, 7, always},
	{"B203", "bakery/cake", "Mango Roll", "芒果蛋糕卷", 2800, 920, 6, summer},
	{"B204", "bakery/cake", "Tiramisu", "提拉米苏", 3000, 990, 7, always},
	{"B205", "bakery/cake", "Birthday Cake, six inches", "六寸生日蛋糕", 16800, 5600, 2, always},
	{"B206", "bakery/cake", "Chestnut Mont Blanc", "栗子蒙布朗", 3600, 1250, 5, winter},
	{"B301", "bakery/pastry", "Egg Yolk Puff", "蛋黄酥", 1200, 360, 10, always},
	{"B302", "bakery/pastry", "Mung Bean Cake", "绿豆糕", 1000, 280, 6, summer},
	{"B303", "bakery/pastry", "Flower Pastry", "鲜花饼", 900, 250, 7, always},
	{"B304", "bakery/pastry", "Lotus Pastry", "荷花酥", 1500, 450, 4, always},
	{"B305", "bakery/pastry", "Mooncake Box of Six", "中秋月饼礼盒", 19800, 6400, 9, mooncake},
	{"B306", "bakery/pastry", "Mooncake, custard", "奶黄流心月饼", 2800, 880, 14, mooncake},
	{"B307", "bakery/pastry", "Peach Crisp", "桃酥", 800, 210, 5, always},
	{"G101", "goods/leaf", "Longjing, 50 g tin", "龙井罐装50克", 12800, 4600, 2, always},
	{"G102", "goods/leaf", "Jasmine, 100 g bag", "茉莉花茶袋装100克", 6800, 2200, 3, always},
	{"G103", "goods/leaf", "Pu'er Cake, 357 g", "普洱茶饼357克", 29800, 11800, 1, always},
	{"G104", "goods/leaf", "Tea Bag Assortment", "袋泡茶组合", 4900, 1500, 3, always},
	{"G201", "goods/ware", "Porcelain Gaiwan", "白瓷盖碗", 8800, 3200, 1, always},
	{"G202", "goods/ware", "Glass Teapot", "玻璃茶壶", 9900, 3600, 1, always},
	{"G203", "goods/ware", "Travel Tea Set", "便携旅行茶具", 15800, 5900, 1, always},
	{"G204", "goods/ware", "Thermos Cup", "保温杯", 11900, 4100, 1, always},
	{"G301", "goods/cards", "Gift Card 100", "100元礼品卡", 10000, 10000, 1, always},
}

// stock puts the menu into the catalogue.
func (s *shop) stock(ctx context.Context) error {
	for _, c := range categories {
		above, slug := "", c.path
		for i := range c.path {
			if c.path[i] == '/' {
				above, slug = c.path[:i], c.path[i+1:]
			}
		}
		if _, err := s.app.Catalog.AddCategory(ctx, catalog.CategoryEdit{Parent: &above, Slug: &slug, NameEN: &c.en, NameZH: &c.zh}); err != nil {
			return fmt.Errorf("make category %s: %w", c.path, err)
		}
	}
	for _, p := range menu {
		brand := teaHouses.NameZH
		if p.path[0] == 'b' {
			brand = bakeries.NameZH
		}
		_, err := s.app.Catalog.Put(ctx, catalog.Product{
			SKU: p.sku, NameEN: p.en, NameZH: p.zh, Category: p.path, Brand: brand, Cost: &p.cost, Price: &p.price, Currency: "CNY", Active: true,
		})
		if err != nil {
			return fmt.Errorf("make product %s: %w", p.sku, err)
		}
	}
	s.made.Products = len(menu)
	return nil
}
