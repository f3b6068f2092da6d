/// What one character cell (or two, for a wide character) shows.
public struct Glyph: Hashable, Sendable {
  public let base: Unicode.Scalar
  /// Marks drawn over `base`; at most `Sanitiser.markLimit`.
  public let marks: [Unicode.Scalar]
  /// Columns it takes: 1 or 2.
  public let columns: Int

  init(base: Unicode.Scalar, marks: [Unicode.Scalar] = [], columns: Int) {
    self.base = base
    self.marks = marks
    self.columns = columns
  }

  static let space = Glyph(base: " ", columns: 1)

  public var text: String {
    var text = String(base)
    text.unicodeScalars.append(contentsOf: marks)
    return text
  }
}

/// Splits sanitised text into glyphs: a scalar that takes columns, then the marks on it.
///
/// A terminal counts columns scalar by scalar, so this does too; a grapheme cluster of several
/// bases (a flag) becomes several glyphs.
struct GlyphSequence: Sequence, IteratorProtocol {
  private var scalars: String.UnicodeScalarView.Iterator
  private var next_: Unicode.Scalar?

  init(_ sanitised: String) {
    scalars = sanitised.unicodeScalars.makeIterator()
    next_ = scalars.next()
  }

  mutating func next() -> Glyph? {
    guard let base = next_ else { return nil }
    var marks: [Unicode.Scalar] = []
    next_ = scalars.next()
    while let mark = next_, DisplayWidth.columns(of: mark) == 0 {
      marks.append(mark)
      next_ = scalars.next()
    }
    return Glyph(base: base, marks: marks, columns: Swift.max(1, DisplayWidth.columns(of: base)))
  }
}
