/// Contents that many versions have in common, each once: what describes the passwords of 50,000
/// contexts is the same label, kind and place.
///
/// One for what is read together, a commit or a piece of a snapshot, so that nothing of it outlives
/// the versions.
struct ContentBook {
  final class Page: Hashable, Sendable {
    let content: Operation.Content

    init(_ content: Operation.Content) {
      self.content = content
    }

    static func == (left: Page, right: Page) -> Bool {
      left === right || left.content == right.content
    }

    func hash(into hasher: inout Hasher) { hasher.combine(content) }
  }

  private var pages: [Operation.Content: Page] = [:]

  mutating func page(of content: Operation.Content) -> Page {
    // Hardly any context has the name of another one.
    guard content.name == nil else { return Page(content) }
    if let page = pages[content] { return page }
    let page = Page(content)
    pages[content] = page
    return page
  }
}

extension Operation.Content {
  /// The text, when that is all it says.
  var onlyText: String? {
    guard let text, self == Operation.Content(text: text) else { return nil }
    return text
  }
}
