//! The report of a backtest for people.

use std::fmt;

use super::BacktestReport;
use super::figures::{PartFigures, ResultFigures};

/// A number with so many places, or a dash.
fn number(value: Option<f64>, places: usize) -> String {
    value.map_or_else(|| "-".into(), |value| format!("{value:.places$}"))
}

impl fmt::Display for BacktestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ResultFigures {
            trades,
            pnl_gross,
            fees,
            carry,
            pnl_net,
            hit_rate,
            hit_rate_gross,
            turnover,
            breakeven_bps,
            sharpe,
            sharpe_step: _,
            sortino,
            calmar,
            max_drawdown,
        } = self.result;
        writeln!(f, "{}, model {}", self.pipeline, &self.model_sha256[..12])?;
        writeln!(f, "digest         {}", self.digest)?;
        let signals = self.signals;
        writeln!(
            f,
            "trades         {trades} of {signals} signals, filled on {}",
            self.fill_on
        )?;
        write!(f, "pnl            {pnl_gross:.6} gross - {fees:.6} fees")?;
        if carry != 0.0 {
            write!(f, " - {carry:.6} funding and borrowing")?;
        }
        writeln!(f, " = {pnl_net:.6} net")?;
        let (net, gross) = (number(hit_rate, 4), number(hit_rate_gross, 4));
        writeln!(f, "hit rate       {gross} before costs, {net} after")?;
        let breakeven = number(breakeven_bps, 4);
        writeln!(
            f,
            "break-even     at a fee of {breakeven} bps of each notional"
        )?;
        writeln!(f, "turnover       {turnover:.2}")?;
        let (sharpe, sortino, calmar) = (number(sharpe, 2), number(sortino, 2), number(calmar, 2));
        let deflated = number(self.deflated_sharpe, 4);
        writeln!(
            f,
            "sharpe         {sharpe} a year, deflated {deflated} ({} tried); sortino {sortino}, calmar {calmar}",
            self.trials
        )?;
        writeln!(f, "max drawdown   {max_drawdown:.6}")?;
        if let Some(held) = &self.holding_ms {
            let (mean, median, min, max) = (held.mean, held.median, held.min, held.max);
            writeln!(
                f,
                "held           {mean:.0} ms, median {median:.0}, {min:.0} to {max:.0}"
            )?;
        }
        let share = number(self.exposure.time_in_market, 4);
        let mean = number(self.exposure.mean, 2);
        writeln!(
            f,
            "exposure       {mean} mean, {:.2} max; {share} of the time",
            self.exposure.max
        )?;
        let capacity = self
            .capacity
            .map_or("none of the sizes tried wins".into(), |size| {
                format!("the largest size tried that wins is {size}")
            });
        writeln!(f, "capacity       {capacity}")?;
        self.write_orders(f)?;
        for finding in &self.findings {
            writeln!(f, "{:<15}{}", finding.severity, finding.text)?;
        }
        self.write_parts(f)?;
        self.write_sweep(f)
    }
}

impl BacktestReport {
    fn write_orders(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let orders = &self.orders;
        write!(f, "orders         {} sent", orders.sent)?;
        for (count, what) in [
            (orders.unfilled, "not filled"),
            (orders.partly_filled, "filled in part"),
            (orders.cancelled, "cancelled"),
            (orders.delayed_exits, "exits delayed"),
            (orders.left, "under way at the end"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        writeln!(f)?;
        if !self.passed_over.is_empty() {
            let counts = self
                .passed_over
                .iter()
                .map(|(why, count)| format!("{count} {why}"));
            writeln!(
                f,
                "passed over    {}",
                counts.collect::<Vec<_>>().join(", ")
            )?;
        }
        for open in &self.open_positions {
            writeln!(
                f,
                "open           {} {} {} at the end, {:.6} before fees of {:.6}: not in the figures above",
                open.instrument, open.side, open.quantity, open.pnl_gross, open.fees
            )?;
        }
        Ok(())
    }

    fn write_parts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.result.trades == 0 {
            return Ok(());
        }
        let head = ["trades", "gross", "fees", "net", "hit rate", "even bps"];
        write!(f, "\n{:<22}", "")?;
        head.iter().try_for_each(|name| write!(f, "{name:>14}"))?;
        writeln!(f)?;
        for (name, part) in &self.by_instrument {
            write_part(f, name, part)?;
        }
        for (hour, part) in &self.by_hour {
            write_part(f, &format!("{hour}:00 UTC"), part)?;
        }
        for (quality, part) in &self.by_quality {
            write_part(f, quality, part)?;
        }
        for one in &self.by_latency {
            write_part(f, &format!("latency {} ms", one.latency_ms), &one.figures)?;
        }
        for one in &self.by_size {
            write_part(f, &format!("size {}", one.size), &one.figures)?;
        }
        for one in &self.by_fee {
            writeln!(
                f,
                "{:<22}{:>56.6}",
                format!("fee {} bps", one.fee_bps),
                one.pnl_net
            )?;
        }
        Ok(())
    }

    fn write_sweep(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.sweep.first() else {
            return Ok(());
        };
        writeln!(f)?;
        let short = |key: &str| key.trim_start_matches("backtest.").to_owned();
        first
            .set
            .keys()
            .try_for_each(|key| write!(f, "{:>14}", short(key)))?;
        let head = [
            "trades", "gross", "fees", "net", "hit rate", "sharpe", "drawdown",
        ];
        head.iter().try_for_each(|name| write!(f, "{name:>14}"))?;
        writeln!(f)?;
        for one in &self.sweep {
            one.set
                .values()
                .try_for_each(|value| write!(f, "{value:>14}"))?;
            let result = &one.result;
            writeln!(
                f,
                "{:>14}{:>14.6}{:>14.6}{:>14.6}{:>14}{:>14}{:>14.6}",
                result.trades,
                result.pnl_gross,
                result.fees,
                result.pnl_net,
                number(result.hit_rate, 4),
                number(result.sharpe, 2),
                result.max_drawdown
            )?;
        }
        Ok(())
    }
}

fn write_part(f: &mut fmt::Formatter<'_>, name: &str, part: &PartFigures) -> fmt::Result {
    writeln!(
        f,
        "{name:<22}{:>14}{:>14.6}{:>14.6}{:>14.6}{:>14}{:>14}",
        part.trades,
        part.pnl_gross,
        part.fees,
        part.pnl_net,
        number(part.hit_rate, 4),
        number(part.breakeven_bps, 4)
    )
}
