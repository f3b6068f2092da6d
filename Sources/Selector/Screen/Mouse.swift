/// What a mouse did, where the person has asked for it (`:set mouse`).
public struct Mouse: Hashable, Sendable {
  public enum Act: Hashable, Sendable {
    /// The left button went down; other buttons stay the terminal's own.
    case press
    case wheelUp, wheelDown
  }

  public let act: Act
  public let position: Position

  public init(_ act: Act, row: Int, column: Int) {
    self.act = act
    position = Position(row: row, column: column)
  }
}
