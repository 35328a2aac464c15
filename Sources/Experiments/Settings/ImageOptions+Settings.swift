/// In JSON `{"size": 64, "fit": "pad"}`, any of which may be left out.
extension ImageOptions: Settings {
  public static let settings: [Setting<ImageOptions>] = [
    Setting("size", \.size, schema: #"{"type": ["integer", "string"]}"#), Setting("fit", \.fit),
    Setting("decoding", \.decoding),
    Setting("appliesOrientation", \.appliesOrientation), Setting("skipsUnreadable", \.skipsUnreadable),
    Setting("classes", \.classes),
  ]
}
