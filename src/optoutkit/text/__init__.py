"""Reading mail and text, once for all rooms: MIME, HTML, folding, quoted threads, sentences, language, word lists."""
