// Round dots of some pixels across.
#ifdef VERTEX
in vec3 at;
in vec4 color;
in float width;
uniform mat4 clip_from_scene;
uniform vec3 eye;
uniform float scale;
uniform float reach;  // where they begin to fade; 0: they do not
uniform vec3 behind;  // … into this
out vec4 tint;
flat out float across;

void main() {
    gl_Position = clip_from_scene * vec4(at, 1.0);
    across = max(width * scale, 1.0);
    gl_PointSize = across + 1.0;
    float strength = 1.5 * reach / (reach + distance(eye, at));
    strength = reach > 0.0 ? clamp(strength, 0.25, 1.0) : 1.0;
    tint = vec4(mix(behind, color.rgb, strength), color.a);
}
#else
in vec4 tint;
flat in float across;
uniform float rim;  // pixels of a dark edge
out vec4 color;

void main() {
    float r = length(gl_PointCoord - 0.5) * (across + 1.0);
    float cover = clamp(0.5 * across + 0.5 - r, 0.0, 1.0);
    if (cover <= 0.0) discard;
    float inside = clamp(0.5 * across - rim + 0.5 - r, 0.0, 1.0);
    color = vec4(tint.rgb * mix(0.1, 1.0, rim > 0.0 ? inside : 1.0), tint.a * cover);
}
#endif
