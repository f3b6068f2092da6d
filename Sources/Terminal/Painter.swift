import CNcurses
import Selector

/// Brings the terminal from one frame to the next through ncurses. Used by one thread.
struct Painter {
  let depth: ColourDepth
  private let features: Features
  private var size: Size
  /// What the terminal shows; nil when that is not known.
  private var shown: Frame?
  private var theme: Theme?
  private var looks: [ResolvedLook] = []
  private var pairs = ColourPairs()
  private var title = ""
  private var entered = false
  private var hasMouse = false
  private var hasLinks = false

  init(size: Size, depth: ColourDepth, features: Features) {
    self.size = size
    self.depth = depth
    self.features = features
  }

  /// The terminal has this size now; the next frame is painted whole.
  mutating func resize(_ size: Size) {
    guard size != self.size else { return }
    self.size = size
    screen_resize(Int32(clamping: size.rows), Int32(clamping: size.columns))
    forget()
  }

  /// The terminal shows something else now; the next frame is painted whole.
  mutating func forget() {
    screen_forget()
    shown = nil
  }

  /// What asks the terminal to report its mouse, or to leave it alone; it is asked anew whenever
  /// the screen is entered.
  mutating func setMouse(_ isOn: Bool) -> [UInt8] {
    guard features.isXtermLike, isOn != hasMouse else { return [] }
    hasMouse = isOn
    guard entered else { return [] }
    return isOn ? Features.mouseOn : Features.mouseOff
  }

  /// Whether what can be opened is marked; the next frame is painted whole.
  mutating func setLinks(_ isOn: Bool) {
    guard features.isXtermLike, isOn != hasLinks else { return }
    hasLinks = isOn
    forget()
  }

  /// The terminal was given back; the next frame enters the screen again.
  mutating func leave() {
    screen_leave()
    shown = nil
    entered = false
    title = ""
  }

  /// The bytes that show `frame`; none when the terminal shows it already.
  ///
  /// A frame of another size than the terminal's, from just before a resize, is cut.
  mutating func bytes(for frame: Frame, theme: Theme) -> [UInt8] {
    use(theme)
    let runs = frame.runs(from: shown)
    let links = hasLinks ? changedLinks(of: frame, runs) : []
    for run in runs { put(run) }
    // ncurses knows no links. Their cells are left out at first, then written one link at a time,
    // so that the bytes between two marks are those of its cells.
    for link in links { blank(link) }
    shown = frame
    let place = frame.cursor ?? Position(row: -1, column: -1)
    var output = update(links.first.map(start) ?? place)
    for (number, link) in links.enumerated() {
      for run in frame.runs(of: link) { put(run) }
      // ncurses may move by writing what is there: no move may stand between the marks.
      let end = Position(row: link.row, column: min(link.column + link.columns, size.columns - 1))
      output += Features.linkStart(link.address) + update(end) + Features.linkEnd
      output += update(links.dropFirst(number + 1).first.map(start) ?? place)
    }
    if !entered {
      entered = true
      output += features.enter
      if hasMouse { output += Features.mouseOn }
    }
    if features.isXtermLike, !output.isEmpty {
      output = Features.frameStart + output + Features.frameEnd
    }
    if frame.title != title {
      title = frame.title
      output += features.title(title)
    }
    if frame.bell { output.append(Features.bell) }
    return output
  }

  private func start(of link: Link) -> Position { Position(row: link.row, column: link.column) }

  /// What ncurses sends to show all that was put, with the cursor at a place.
  private func update(_ place: Position) -> [UInt8] {
    var start: UnsafePointer<UInt8>?
    let count = screen_update(Int32(clamping: place.row), Int32(clamping: place.column), &start)
    return Array(UnsafeBufferPointer(start: start, count: start == nil ? 0 : count))
  }

  /// Links the terminal does not show yet, or whose cells are written anew.
  private func changedLinks(of frame: Frame, _ runs: [Run]) -> [Link] {
    frame.links.filter { link in
      !(shown?.links.contains(link) ?? false)
        || runs.contains {
          $0.row == link.row && $0.column < link.column + link.columns
            && link.column < $0.column + $0.columns
        }
    }
  }

  private func blank(_ link: Link) {
    var space = screen_cell()
    space.columns = 1
    space.scalars.0 = 0x20
    let cells = [screen_cell](repeating: space, count: link.columns)
    screen_put(Int32(link.row), Int32(link.column), cells, Int32(cells.count))
  }

  private mutating func use(_ theme: Theme) {
    guard theme != self.theme else { return }
    self.theme = theme
    shown = nil
    looks = StyleKey.allCases.map { style in
      pairs.resolve(theme.attributes(for: style, depth: depth))
    }
  }

  private func put(_ run: Run) {
    let look = looks[Int(run.style.index)]
    let cells = run.glyphs.map { glyph in
      var cell = screen_cell()
      cell.pair = look.pair
      cell.attributes = look.attributes
      cell.columns = UInt8(glyph.columns)
      cell.scalars.0 = glyph.base.value
      let marks = glyph.marks.map(\.value) + [0, 0, 0, 0]
      (cell.scalars.1, cell.scalars.2) = (marks[0], marks[1])
      (cell.scalars.3, cell.scalars.4) = (marks[2], marks[3])
      return cell
    }
    screen_put(Int32(run.row), Int32(run.column), cells, Int32(cells.count))
  }
}

/// An appearance as ncurses takes it.
struct ResolvedLook {
  var pair: Int32
  var attributes: UInt8
}

/// Colour pairs, given out when first needed: the Linux console has only 64.
struct ColourPairs {
  private struct Colours: Hashable {
    let foreground: Int32
    let background: Int32
  }

  private var numbers: [Colours: Int32] = [:]

  /// The appearance with its pair; without colours when ncurses has no pair left.
  mutating func resolve(_ appearance: Appearance) -> ResolvedLook {
    var attributes = 0
    if appearance.bold { attributes |= Int(SCREEN_BOLD) }
    if appearance.dim { attributes |= Int(SCREEN_DIM) }
    if appearance.underline { attributes |= Int(SCREEN_UNDERLINE) }
    if appearance.reverse { attributes |= Int(SCREEN_REVERSE) }
    let colours = Colours(
      foreground: Self.number(appearance.foreground),
      background: Self.number(appearance.background))
    return ResolvedLook(pair: pair(colours), attributes: UInt8(attributes))
  }

  private mutating func pair(_ colours: Colours) -> Int32 {
    if colours.foreground < 0 && colours.background < 0 { return 0 }
    if let known = numbers[colours] { return known }
    let next = Int32(numbers.count + 1)
    guard next < screen_pairs(), screen_set_pair(next, colours.foreground, colours.background)
    else { return 0 }
    numbers[colours] = next
    return next
  }

  private static func number(_ colour: ScreenColour) -> Int32 {
    switch colour {
    case .own: -1
    case .indexed(let number): Int32(number)
    // Where colours are 24 bits, 0 to 7 are still the terminal's own eight.
    case .rgb(let value): Int32(clamping: max(8, value))
    }
  }
}
