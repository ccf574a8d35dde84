/** First part of every query key of this package: `invalidateQueries({ queryKey: [MEDIA_KEY] })` reads all anew. */
export const MEDIA_KEY = "artitec-media";
