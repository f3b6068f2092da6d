import Selector
import Synchronization
import Terminal

/// What a ``Driver`` shows frames on and gets keys from.
protocol Surface: Sendable {
  /// Hands over what happens, a burst at a time; nil is the end. `sink` must not block.
  func deliver(to sink: @escaping @Sendable ([TerminalEvent]?) -> Void)
  var size: Size { get }

  func show(_ frame: Frame, theme: Theme)
  /// What a person is told who sees no frames; `isAnswer` follows a line of theirs.
  func tell(_ session: Session, isAnswer: Bool)
  func redraw()
  func setMouse(_ isOn: Bool)
  func setLinks(_ isOn: Bool)
  func suspend() async
  func close() async
  func sendToClipboard(_ bytes: [UInt8]) -> Bool
}

extension Terminal: Surface {}

extension Surface {
  func setMouse(_ isOn: Bool) {}
  func setLinks(_ isOn: Bool) {}

  /// Where frames mean nothing, lines may.
  func tell(_ session: Session, isAnswer: Bool) {}
}

/// A screen that only scripts look at: nothing is painted, and no key comes but theirs.
final class Canvas: Surface {
  let size: Size

  init(size: Size) {
    self.size = size
  }

  func deliver(to sink: @escaping @Sendable ([TerminalEvent]?) -> Void) {}

  func show(_ frame: Frame, theme: Theme) {}
  func redraw() {}
  func suspend() async {}
  func close() async {}
  func sendToClipboard(_ bytes: [UInt8]) -> Bool { false }
}
