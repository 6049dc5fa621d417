//! ONNX files, as far as our own reader and the recognition of networks go; the first byte is the window.
#![no_main]

use foretick::model::proto::ModelProto;
use foretick::model::recognise::recognise;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((steps, bytes)) = data.split_first() else {
        return;
    };
    if let Ok(model) = ModelProto::parse(bytes) {
        drop(recognise(&model, usize::from(*steps)));
        let again = ModelProto::parse(&model.bytes());
        assert!(again.is_ok(), "what was written is read");
    }
});
