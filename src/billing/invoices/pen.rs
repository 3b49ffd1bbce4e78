//! What an invoice is drawn with: two weights of one font, texts that begin or end somewhere, rectangles.

use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::text::{Font, TextDirection};

use crate::error::{Error, Result};

const REGULAR: &[u8] = include_bytes!("../../../assets/fonts/Inter-Regular.ttf");
const SEMIBOLD: &[u8] = include_bytes!("../../../assets/fonts/Inter-SemiBold.ttf");

/// The two weights of Inter, to draw with and to measure by.
pub struct Fonts {
    regular: Font,
    semibold: Font,
    faces: [rustybuzz::Face<'static>; 2],
}

impl Fonts {
    /// Reads both fonts. Error: `internal`.
    pub fn load() -> Result<Fonts> {
        let font = |bytes: &[u8]| Font::new(bytes.to_vec().into(), 0).ok_or_else(|| Error::internal("a font is none"));
        let face = |bytes| rustybuzz::Face::from_slice(bytes, 0).ok_or_else(|| Error::internal("a font is none"));
        Ok(Fonts { regular: font(REGULAR)?, semibold: font(SEMIBOLD)?, faces: [face(REGULAR)?, face(SEMIBOLD)?] })
    }

    /// The width of a line of text, shaped as it will be drawn.
    fn width(&self, text: &str, size: f32, strong: bool) -> f32 {
        let [regular, semibold] = &self.faces;
        let face = if strong { semibold } else { regular };
        let mut buffer = rustybuzz::UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        let glyphs = rustybuzz::shape(face, &[], buffer);
        let units: i64 = glyphs.glyph_positions().iter().map(|place| i64::from(place.x_advance)).sum();
        let units = u16::try_from(units).map_or(f32::from(u16::MAX), f32::from);
        units * size / u16::try_from(face.units_per_em()).map_or(1.0, f32::from)
    }
}

/// Draws on a page, in points from its upper left corner.
pub struct Pen<'a, 'p> {
    surface: Surface<'p>,
    fonts: &'a Fonts,
}

impl<'a, 'p> Pen<'a, 'p> {
    /// On a page.
    pub fn new(surface: Surface<'p>, fonts: &'a Fonts) -> Pen<'a, 'p> {
        Pen { surface, fonts }
    }

    /// The page is done.
    pub fn finish(self) {
        self.surface.finish();
    }

    fn ink(&mut self, (red, green, blue): (u8, u8, u8)) {
        let paint = rgb::Color::new(red, green, blue).into();
        self.surface.set_fill(Some(Fill { paint, ..Fill::default() }));
    }

    /// A text that begins at `x`, its feet at `y`.
    pub fn text(&mut self, x: f32, y: f32, size: f32, strong: bool, color: (u8, u8, u8), text: &str) {
        self.ink(color);
        let font = if strong { self.fonts.semibold.clone() } else { self.fonts.regular.clone() };
        self.surface.draw_text(Point::from_xy(x, y), font, size, text, false, TextDirection::Auto);
    }

    /// The same, smaller where it would be wider than `width`.
    pub fn fit(
        &mut self,
        (x, width): (f32, f32),
        y: f32,
        (size, strong): (f32, bool),
        color: (u8, u8, u8),
        text: &str,
    ) {
        let wide = self.fonts.width(text, size, strong);
        let size = if wide > width { size * width / wide } else { size };
        self.text(x, y, size, strong, color, text);
    }

    /// A note.
    pub fn small(&mut self, x: f32, y: f32, color: (u8, u8, u8), text: &str) {
        self.text(x, y, 8.5, false, color, text);
    }

    /// A text that ends at `x`.
    pub fn right(&mut self, x: f32, y: f32, size: f32, strong: bool, color: (u8, u8, u8), text: &str) {
        let width = self.fonts.width(text, size, strong);
        self.text(x - width, y, size, strong, color, text);
    }

    /// A filled rectangle.
    pub fn block(&mut self, x: f32, y: f32, width: f32, height: f32, color: (u8, u8, u8)) {
        self.ink(color);
        let mut path = PathBuilder::new();
        if let Some(rect) = Rect::from_xywh(x, y, width, height) {
            path.push_rect(rect);
        }
        if let Some(path) = path.finish() {
            self.surface.draw_path(&path);
        }
    }
}
