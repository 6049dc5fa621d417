//! Made-up companies that do well or badly: their statements, year by year.

use serde_json::json;

/// Years from 1970 to the first statements.
const BEFORE: i64 = 40;

/// Eight years of statements, in the order in which they are published. Every other company loses money from
/// the fifth year to the seventh, and recovers in the last.
pub(crate) fn statements(companies: usize) -> Vec<String> {
    let mut lines = vec![];
    for year in 0..8_i64 {
        for company in 0..companies {
            let bad = company % 2 == 1 && (4..7).contains(&year);
            let (income, debt, value) = if bad {
                (-60.0, 95.0, 2.0)
            } else {
                (8.0, 30.0, 150.0)
            };
            let ts_event = ((BEFORE + year) * 365 + 90) * 86_400_000_000_000 + company as i64;
            let record = json!({
                "ts_event": ts_event, "obligor": format!("C{company}"), "period": 2010 + year,
                "items": {
                    "current_assets": 50.0, "total_assets": 100.0, "cost_of_goods_sold": 60.0,
                    "total_long_term_debt": debt / 2.0, "ebit": income * 1.2, "ebitda": income * 1.3,
                    "gross_profit": 30.0, "inventory": 10.0, "total_current_liabilities": debt / 2.0,
                    "net_income": income, "retained_earnings": income * 2.0, "total_receivables": 12.0,
                    "total_revenue": 90.0, "market_value": value, "total_liabilities": debt,
                    "net_sales": 90.0, "total_operating_expenses": 80.0,
                    "depreciation_and_amortization": 4.0,
                },
            });
            lines.push(record.to_string());
        }
    }
    lines
}
