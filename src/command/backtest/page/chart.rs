//! Charts as SVG: axes, lines, bars and marks, each in a wide and in a narrow form.
//!
//! Drawn by `plotters`. Colours are those of the page's style sheet, so that a chart follows light, dark and
//! print; each chart has a title and a description.

use std::io;
use std::ops::Range;

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::element::EmptyElement;
use plotters::prelude::{
    AreaSeries, Cartesian2d, Circle, Color, DrawingArea, DrawingAreaErrorKind, IntoDrawingArea,
    IntoFont, LineSeries, PathElement, Polygon, RGBColor, Rectangle, SVGBackend, TextStyle,
};

use super::text::escaped;

/// What drawing may end with.
pub(crate) type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;

/// A chart with numbers on both axes.
type NumberChart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// A colour of the style sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Text,
    Rule,
    One,
    Two,
    Three,
    Gain,
    Loss,
}

impl Ink {
    const ALL: [Self; 7] = [
        Self::Text,
        Self::Rule,
        Self::One,
        Self::Two,
        Self::Three,
        Self::Gain,
        Self::Loss,
    ];

    /// The colour that stands for it until the drawing is done.
    fn sign(self) -> RGBColor {
        RGBColor(1, 2, self as u8)
    }

    /// Its name in the style sheet.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Text => "var(--faint)",
            Self::Rule => "var(--rule)",
            Self::One => "var(--one)",
            Self::Two => "var(--two)",
            Self::Three => "var(--three)",
            Self::Gain => "var(--gain)",
            Self::Loss => "var(--loss)",
        }
    }
}

/// A place on an axis, with its label.
pub(crate) type Tick = (f64, String);

/// An axis: its ends and its places.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) ticks: Vec<Tick>,
}

impl Axis {
    /// Of how many places each one has room for its label, where the axis is so many pixels long.
    fn labels_every(&self, length: u32) -> usize {
        let longest = self.ticks.iter().map(|tick| tick.1.chars().count()).max();
        let needed = LETTER * longest.unwrap_or(0) as f64 + LABEL_GAP;
        let apart = match &self.ticks[..] {
            [first, second, ..] => (second.0 - first.0) / (self.to - self.from),
            _ => 1.0,
        };
        (needed / (apart * f64::from(length))).ceil().max(1.0) as usize
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (value - self.from) / (self.to - self.from);
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|tick| tick.0).collect()
    }

    fn range(&self) -> Range<f64> {
        self.from..self.to
    }
}

impl ValueFormatter<f64> for Axis {
    fn format(value: &f64) -> String {
        value.to_string()
    }

    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|tick| tick.0 == *value);
        tick.map_or(String::new(), |tick| tick.1.clone())
    }
}

/// What is drawn on the axes.
#[derive(Clone, Debug)]
pub(crate) enum Layer {
    /// A line through points.
    Line(Ink, Vec<(f64, f64)>),
    /// A line through points, each of them marked.
    DottedLine(Ink, Vec<(f64, f64)>),
    /// A line through points, and what lies between it and zero.
    Area(Ink, Vec<(f64, f64)>),
    /// A rectangle between two corners.
    Bar(Ink, (f64, f64), (f64, f64)),
    /// A triangle at a point, upward or downward.
    Mark(Ink, (f64, f64), bool),
    /// A thin line from one point to another.
    Guide((f64, f64), (f64, f64)),
}

/// A chart: its axes, what is on them, and what it says.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(crate) id: String,
    pub(crate) title: String,
    /// What it shows, in a sentence or two.
    pub(crate) about: String,
    /// The names of its colours; none where there is one thing only.
    pub(crate) keys: Vec<(Ink, &'static str)>,
    pub(crate) height: u32,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) layers: Vec<Layer>,
}

/// A form of a chart: the class that the style sheet knows it by, its width, and room for labels of y.
const FORMS: [(&str, u32); 2] = [("wide", WIDE), ("narrow", 366)];

/// About what a letter of a label, and the gap between two labels, take in pixels.
const LETTER: f64 = 7.0;
const LABEL_GAP: f64 = 12.0;

/// Pixel columns of the wide form: lines need no more points than a few of each.
pub(crate) const WIDE: u32 = 920;

impl Chart {
    /// The figure, as HTML.
    pub(crate) fn html(&self) -> String {
        let keys = self.keys.iter().map(|(ink, name)| {
            let (ink, name) = (ink.variable(), escaped(name));
            format!("<span class=\"key\" style=\"--of: {ink}\">{name}</span>")
        });
        let drawn = FORMS.map(|form| self.svg(form));
        format!(
            "<figure>\n<figcaption>{}<p>{}</p>{}</figcaption>\n{}</figure>\n",
            escaped(&self.title),
            escaped(&self.about),
            keys.collect::<String>(),
            drawn.concat()
        )
    }

    fn svg(&self, (class, width): (&str, u32)) -> String {
        let mut text = String::new();
        if let Err(error) = self.draw(&mut text, width) {
            return format!("<p>This chart could not be drawn: {error}.</p>\n");
        }
        // The first tag gives way to one that scales and can be read out.
        let body = text.split_once(">\n").map_or("", |(_, body)| body);
        let mut body = body.to_owned();
        for ink in Ink::ALL {
            let RGBColor(red, green, blue) = ink.sign();
            let sign = format!("\"#{red:02X}{green:02X}{blue:02X}\"");
            body = body.replace(&sign, &format!("\"{}\"", ink.variable()));
        }
        let body = body
            .replace(" opacity=\"1\"", "")
            .replace(" stroke=\"none\"", "");
        let (id, height) = (format!("{}-{class}", self.id), self.height);
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
             <title id=\"{id}-t\">{}</title><desc id=\"{id}-d\">{}</desc>\n{body}",
            escaped(&self.title),
            escaped(&self.about)
        )
    }

    fn draw(&self, text: &mut String, width: u32) -> Drawn {
        let area = SVGBackend::with_string(text, (width, self.height)).into_drawing_area();
        let mut chart = self.axes(&area, width)?;
        for layer in &self.layers {
            draw_layer(&mut chart, layer)?;
        }
        area.present()
    }

    fn axes<'a, 'b>(
        &self,
        area: &'a DrawingArea<SVGBackend<'b>, Shift>,
        width: u32,
    ) -> Result<NumberChart<'a, 'b>, DrawingAreaErrorKind<io::Error>> {
        let mut x = self.x.clone();
        let every = x.labels_every(width);
        x.ticks = x.ticks.into_iter().step_by(every).collect();
        let y = self.y.clone();
        let longest = y.ticks.iter().map(|tick| tick.1.chars().count()).max();
        let room = 14 + 7 * longest.unwrap_or(0) as u32;
        let (x_labels, y_labels) = (x.ticks.len().max(1), y.ticks.len().max(1));
        let mut chart = ChartBuilder::on(area)
            .margin(8)
            .margin_right(30)
            .x_label_area_size(26)
            .y_label_area_size(room)
            .build_cartesian_2d(x, y)?;
        let style: TextStyle<'_> = ("sans-serif", 15).into_font().color(&Ink::Text.sign());
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(Ink::Rule.sign().mix(0.0))
            .bold_line_style(Ink::Rule.sign())
            .axis_style(Ink::Rule.sign())
            .label_style(style)
            .x_labels(x_labels)
            .y_labels(y_labels)
            .draw()?;
        Ok(chart)
    }
}

fn draw_layer(chart: &mut NumberChart<'_, '_>, layer: &Layer) -> Drawn {
    match layer {
        Layer::Line(ink, points) => {
            let style = ink.sign().stroke_width(2);
            chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
        }
        Layer::DottedLine(ink, points) => {
            let style = ink.sign().stroke_width(2);
            let dot = |at: &(f64, f64)| Circle::new(*at, 3, ink.sign().filled());
            chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
            chart.draw_series(points.iter().map(dot))?;
        }
        Layer::Area(ink, points) => {
            let fill = ink.sign().mix(0.25);
            let series = AreaSeries::new(points.iter().copied(), 0.0, fill);
            chart.draw_series(series.border_style(ink.sign().stroke_width(1)))?;
        }
        Layer::Bar(ink, from, to) => {
            let bar = Rectangle::new([*from, *to], ink.sign().filled());
            chart.draw_series([bar])?;
        }
        Layer::Mark(ink, at, is_upward) => {
            let down = if *is_upward { 1 } else { -1 };
            let corners = vec![(-5, 5 * down), (5, 5 * down), (0, -5 * down)];
            let mark = EmptyElement::at(*at) + Polygon::new(corners, ink.sign().filled());
            chart.draw_series([mark])?;
        }
        Layer::Guide(from, to) => {
            let style = Ink::Text.sign().mix(0.6).stroke_width(1);
            chart.draw_series([PathElement::new(vec![*from, *to], style)])?;
        }
    }
    Ok(())
}
